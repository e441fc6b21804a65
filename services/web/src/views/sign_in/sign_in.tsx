import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data } from "../../api/client";
import { prefix } from "../../api/address";
import { sentence } from "../../api/problem";
import { fetchMe, type Me, queries } from "../../api/queries";
import { Button, Dialog, Field } from "../../ui/parts";
import { useTitle } from "../../ui/hooks";
import { texts } from "../../texts/en";
import "./sign_in.css";

/** What a stranger sees, under whatever address. */
export function SignIn() {
  useTitle(texts.signIn.title);
  const setup = useQuery({
    queryKey: ["setup"],
    queryFn: () => data(api.GET("/api/v1/setup")),
  });
  return (
    <main class="sign-in">
      <h1>
        <img src={`${prefix}/icon.svg`} alt="" width="40" height="40" />
        {texts.tandem}
      </h1>
      {setup.data?.needed ? (
        <p class="notice">{texts.signIn.setup}</p>
      ) : (
        <div class="card">
          <SignInForm done={(me) => queries.setQueryData(["me"], me)} />
        </div>
      )}
    </main>
  );
}

/** For somebody whose session ended while they worked; their work stays behind it. */
export function SignInAgain({ me, why, done }: { me: Me; why: string | null; done: () => void }) {
  const [isOther, setOther] = useState(false);
  return (
    <Dialog title={texts.signIn.again} close={done}>
      <p>
        {why ?? texts.signIn.ended} {texts.signIn.againMore(me.name)}
      </p>
      <SignInForm
        email={me.email}
        done={(found) => (found.id === me.id ? done() : setOther(true))}
      />
      {isOther && (
        <p class="wrong" role="alert">
          {texts.signIn.somebodyElse}
        </p>
      )}
    </Dialog>
  );
}

function SignInForm({ email = "", done }: { email?: string; done: (me: Me) => void }) {
  const [error, fail] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [isShown, show] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const body = { email: String(form.get("email")), password: String(form.get("password")) };
    setBusy(true);
    fail(null);
    try {
      await data(api.POST("/api/v1/auth/login", { body }));
      done(await fetchMe());
    } catch (reason) {
      fail(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      <Field label={texts.signIn.email}>
        {(ids) => (
          <input {...ids} name="email" type="email" autocomplete="username" required defaultValue={email} />
        )}
      </Field>
      <Field label={texts.signIn.password} error={error === null ? undefined : sentence(error)}>
        {(ids) => (
          <input
            {...ids}
            name="password"
            type={isShown ? "text" : "password"}
            autocomplete="current-password"
            required
          />
        )}
      </Field>
      <label class="check small">
        <input type="checkbox" checked={isShown} onChange={() => show(!isShown)} />
        {texts.signIn.show}
      </label>
      <Button kind="main" type="submit" disabled={isBusy}>
        {texts.signIn.submit}
      </Button>
      <details class="small">
        <summary>{texts.signIn.forgottenTitle}</summary>
        <div class="stack">
          <p>{texts.signIn.forgotten}</p>
          <p>{texts.signIn.forgottenAdmin}</p>
          <code class="secret">{texts.signIn.command}</code>
        </div>
      </details>
    </form>
  );
}
