import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { type Me, queries } from "../../api/queries";
import { ago, onDay } from "../../texts/format";
import { accountTexts as say } from "./texts";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { CopyButton } from "../../ui/copy_button";
import { Button, Field, Loading, Problem } from "../../ui/parts";

/** Who I am here, how the page looks, and where I am signed in. */
export function Account() {
  useTitle(texts.nav.account);
  const { me, signOut } = usePerson();
  return (
    <Shell>
      <div class="head">
        <h1>{texts.nav.account}</h1>
        <Button icon="out" onClick={signOut}>
          {texts.signIn.out}
        </Button>
      </div>
      <p class="soft">{me.email}</p>
      {me.is_admin && (
        <p>
          <Link href="/administration">{texts.nav.administration}</Link>
        </p>
      )}
      <Appearance />
      <Name />
      <Password />
      <Sessions />
      <Tokens />
    </Shell>
  );
}

function Appearance() {
  const { preferences, prefer } = usePerson();
  return (
    <section class="card stack">
      <h2>{say.appearance}</h2>
      <fieldset class="choices">
        <legend class="small">{say.theme}</legend>
        {(["system", "light", "dark"] as const).map((theme) => (
          <label class="check" key={theme}>
            <input
              type="radio"
              name="theme"
              checked={preferences.theme === theme}
              onChange={() => prefer({ theme })}
            />
            {say.themes[theme]}
          </label>
        ))}
      </fieldset>
      <Field label={say.textSize(preferences.text)}>
        {(ids) => (
          <input
            {...ids}
            type="range"
            min={90}
            max={150}
            step={10}
            value={preferences.text}
            onChange={(event) => prefer({ text: Number(event.currentTarget.value) })}
          />
        )}
      </Field>
      <label class="check">
        <input
          type="checkbox"
          checked={preferences.pauses}
          onChange={() => prefer({ pauses: !preferences.pauses })}
        />
        {say.pauses}
      </label>
    </section>
  );
}

function Name() {
  const { me } = usePerson();
  const save = useMutation({
    mutationFn: (name: string) => data(api.PATCH("/api/v1/me", { body: { name } })),
    onSuccess: (found: Me) => queries.setQueryData(["me"], found),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.target as HTMLFormElement).get("name")).trim());
  };
  return (
    <form class="card stack" onSubmit={submit}>
      <Field label={say.name} hint={say.nameHint}>
        {(ids) => <input {...ids} name="name" autocomplete="name" required maxLength={500} defaultValue={me.name} />}
      </Field>
      {save.error && <Problem error={save.error} />}
      <div class="actions">
        <Button type="submit" disabled={save.isPending}>
          {texts.save}
        </Button>
        <span role="status">{save.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}

function Password() {
  const { me } = usePerson();
  const save = useMutation({
    mutationFn: (body: Schemas["PasswordChangeIn"]) => data(api.PUT("/api/v1/me/password", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const target = event.target as HTMLFormElement;
    const form = new FormData(target);
    const body = { current: String(form.get("current")), new: String(form.get("new")) };
    save.mutate(body, { onSuccess: () => target.reset() });
  };
  return (
    <form class="card stack" onSubmit={submit}>
      <h2>{say.password}</h2>
      <input class="hidden" type="email" autocomplete="username" value={me.email} readOnly tabIndex={-1} aria-hidden="true" />
      <Field label={say.current}>
        {(ids) => <input {...ids} name="current" type="password" autocomplete="current-password" required />}
      </Field>
      <Field label={say.new} hint={say.newHint}>
        {(ids) => <input {...ids} name="new" type="password" autocomplete="new-password" minLength={8} required />}
      </Field>
      {save.error && <Problem error={save.error} />}
      <div class="actions">
        <Button type="submit" disabled={save.isPending}>
          {say.change}
        </Button>
        <span role="status">{save.isSuccess && say.changed}</span>
      </div>
    </form>
  );
}

function Sessions() {
  const sessions = useQuery({
    queryKey: ["sessions"],
    queryFn: () => data(api.GET("/api/v1/me/sessions", { params: { query: { limit: 100 } } })),
  });
  const refresh = () => queries.invalidateQueries({ queryKey: ["sessions"] });
  const end = useMutation({
    mutationFn: (session_id: string) =>
      data(api.DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id } } })),
    onSuccess: refresh,
  });
  const endOthers = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/me/sessions")),
    onSuccess: refresh,
  });
  const items = sessions.data?.items ?? [];
  return (
    <section class="card stack">
      <h2>{say.sessions}</h2>
      {sessions.isPending && <Loading />}
      {sessions.error && <Problem error={sessions.error} again={() => void sessions.refetch()} />}
      <ul class="plainlist rows">
        {items.map((one) => (
          <li key={one.id} class="row">
            <span>
              {browser(one.user_agent)}
              {one.current && <strong> · {say.here}</strong>}
              <br />
              <span class="soft small">
                {one.source} · {say.used(ago(one.last_used_at))}
              </span>
            </span>
            {!one.current && (
              <Button onClick={() => end.mutate(one.id)} aria-label={say.endOne(browser(one.user_agent))}>
                {say.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {items.length > 1 && (
        <div class="actions">
          <Button onClick={() => endOthers.mutate()}>{say.endOthers}</Button>
        </div>
      )}
      {(end.error || endOthers.error) && <Problem error={end.error ?? endOthers.error} />}
    </section>
  );
}

/** "Firefox on Linux", as well as it can be recognised. */
function browser(agent: string | null): string {
  const name = /Edg\//.test(agent ?? "") ? "Edge" : (/(Firefox|Chrome|Safari)\//.exec(agent ?? "")?.[1] ?? null);
  const system = /(Android|iPhone|iPad|Windows|Mac OS|Linux)/.exec(agent ?? "")?.[1] ?? null;
  if (name === null) return agent?.slice(0, 60) || say.unknown;
  return system === null ? name : say.browserOn(name, system);
}

function Tokens() {
  const [made, setMade] = useState<Schemas["NewTokenOut"] | null>(null);
  const tokens = useQuery({
    queryKey: ["tokens"],
    queryFn: () => data(api.GET("/api/v1/me/tokens", { params: { query: { limit: 100 } } })),
  });
  const refresh = () => queries.invalidateQueries({ queryKey: ["tokens"] });
  const make = useMutation({
    mutationFn: (body: Schemas["TokenIn"]) => data(api.POST("/api/v1/me/tokens", { body })),
    onSuccess: (found) => (setMade(found), void refresh()),
  });
  const end = useMutation({
    mutationFn: (token_id: string) =>
      data(api.DELETE("/api/v1/me/tokens/{token_id}", { params: { path: { token_id } } })),
    onSuccess: refresh,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const target = event.target as HTMLFormElement;
    const form = new FormData(target);
    const body = { name: String(form.get("name")), scope: String(form.get("scope")) as Schemas["Scope"] };
    make.mutate(body, { onSuccess: () => target.reset() });
  };
  return (
    <section class="card stack">
      <h2>{say.tokens}</h2>
      <p class="hint">{say.tokensHint}</p>
      {made && (
        <div class="notice good" role="status">
          <p>{say.tokenOnce}</p>
          <code class="secret">{made.token}</code>
          <CopyButton text={made.token} />
        </div>
      )}
      <ul class="plainlist rows">
        {(tokens.data?.items ?? []).map((one) => (
          <li key={one.id} class="row">
            <span>
              {one.name} · {say.scopes[one.scope]}
              <br />
              <span class="soft small">
                {one.last_used_at ? say.used(ago(one.last_used_at)) : say.unused}
                {one.expires_at && ` · ${say.expires(onDay(one.expires_at))}`}
              </span>
            </span>
            <Button onClick={() => end.mutate(one.id)} aria-label={`${say.revoke}: ${one.name}`}>
              {say.revoke}
            </Button>
          </li>
        ))}
      </ul>
      <form class="inline-form" onSubmit={submit}>
        <Field label={say.tokenName}>{(ids) => <input {...ids} name="name" required maxLength={200} />}</Field>
        <Field label={say.scope}>
          {(ids) => (
            <select {...ids} name="scope">
              {(["read", "screen", "manage"] as const).map((scope) => (
                <option key={scope} value={scope}>
                  {say.scopes[scope]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button type="submit" disabled={make.isPending}>
          {say.makeToken}
        </Button>
      </form>
      {(make.error || end.error) && <Problem error={make.error ?? end.error} />}
    </section>
  );
}
