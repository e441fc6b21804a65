import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { queries } from "../../api/queries";
import { at } from "../../texts/format";
import { texts } from "../../texts/en";
import { Confirm } from "../../ui/confirm";
import { usePerson } from "../../ui/context";
import { CopyButton } from "../../ui/copy_button";
import { Listed } from "../../ui/list";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { administrationTexts as say } from "./texts";

type User = Schemas["UserOut"];

/** All accounts: found by words, switched off and on, given a link for a new password. */
export function Users() {
  const [words, setWords] = useState("");
  const { query, items } = usePages(["users", words], (cursor) =>
    data(api.GET("/api/v1/users", { params: { query: { limit: 50, ...(words ? { q: words } : {}), ...cursor } } })),
  );
  return (
    <section class="card stack">
      <h2>{say.users}</h2>
      <p class="hint">{say.usersMore}</p>
      <Field label={say.find}>
        {(ids) => <input {...ids} type="search" value={words} onChange={(event) => setWords(event.currentTarget.value.trim())} />}
      </Field>
      <Listed query={query} n={items.length} empty={say.none}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <One key={one.id} user={one} />
          ))}
        </ul>
      </Listed>
    </section>
  );
}

function One({ user }: { user: User }) {
  const { me } = usePerson();
  const [isAsking, ask] = useState(false);
  const [isOpen, open] = useState(false);
  const [isEditing, edit] = useState(false);
  const params = { path: { user_id: user.id } };
  const change = useMutation({
    mutationFn: (body: Schemas["UserPatch"]) => data(api.PATCH("/api/v1/users/{user_id}", { params, body })),
    onSuccess: () => (ask(false), edit(false), void queries.invalidateQueries({ queryKey: ["users"] })),
  });
  const reset = useMutation({ mutationFn: () => data(api.POST("/api/v1/users/{user_id}/reset", { params })) });
  const isMe = user.id === me.id;
  const says = [user.email, isMe && say.you, user.is_admin && say.admin, !user.is_active && say.off];
  const error = reset.error ?? (isAsking || isEditing ? null : change.error);
  return (
    <li class="row">
      <span>
        <strong>{user.name}</strong>
        <br />
        <span class="soft small">{says.filter(Boolean).join(" · ")}</span>
      </span>
      <Button kind="quiet" aria-expanded={isOpen} aria-label={say.of(say.manage, user.name)} onClick={() => open(!isOpen)}>
        {say.manage}
      </Button>
      {isOpen && (
      <span class="actions account-actions">
        <Button aria-label={say.of(say.reset, user.name)} disabled={reset.isPending} onClick={() => reset.mutate()}>
          {say.reset}
        </Button>
        <Button aria-label={say.of(say.change, user.name)} onClick={() => (change.reset(), edit(true))}>
          {say.change}
        </Button>
        {!isMe && (
          <>
            <Button disabled={change.isPending} onClick={() => change.mutate({ is_admin: !user.is_admin })}>
              {user.is_admin ? say.endAdmin : say.makeAdmin}
            </Button>
            {user.is_active ? (
              <Button kind="danger" aria-label={say.of(say.switchOff, user.name)} onClick={() => ask(true)}>
                {say.switchOff}
              </Button>
            ) : (
              <Button aria-label={say.of(say.switchOn, user.name)} onClick={() => change.mutate({ is_active: true })}>
                {say.switchOn}
              </Button>
            )}
          </>
        )}
      </span>
      )}
      {reset.data && (
        <div class="notice good" role="status">
          <p>{say.resetOnce(user.name, at(reset.data.expires_at))}</p>
          <code class="secret">{reset.data.link}</code>
          <CopyButton text={reset.data.link} />
        </div>
      )}
      {error && <Problem error={error} />}
      {isEditing && <Edit user={user} save={change} close={() => edit(false)} />}
      {isAsking && (
        <Confirm
          title={say.switchOffTitle(user.name)}
          effects={say.switchOffEffects}
          does={say.switchOff}
          isDanger
          work={{ ...change, mutate: () => change.mutate({ is_active: false }) }}
          close={() => ask(false)}
        />
      )}
    </li>
  );
}

interface EditProps {
  user: User;
  save: { mutate: (body: Schemas["UserPatch"]) => void; isPending: boolean; error: unknown };
  close: () => void;
}

function Edit({ user, save, close }: EditProps) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    save.mutate({ name: String(form.get("name")).trim(), email: String(form.get("email")).trim() });
  };
  return (
    <Dialog title={say.changeTitle(user.name)} close={close}>
      <form class="form" onSubmit={submit}>
        <Field label={say.name}>{(ids) => <input {...ids} name="name" required maxLength={500} defaultValue={user.name} autocomplete="off" />}</Field>
        <Field label={say.email} hint={say.emailHint}>
          {(ids) => <input {...ids} name="email" type="email" required maxLength={254} defaultValue={user.email} autocomplete="off" />}
        </Field>
        {save.error ? <Problem error={save.error} /> : null}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button onClick={close}>{texts.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
