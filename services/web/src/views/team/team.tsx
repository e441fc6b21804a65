import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review, usePilot } from "../../api/queries";
import { onDay } from "../../texts/format";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { Confirm } from "../../ui/confirm";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { CopyButton } from "../../ui/copy_button";
import { Button, Field, Problem } from "../../ui/parts";
import type { ViewProps } from "../review";
import { Interests } from "./interests";
import { Leave } from "./leave";
import { MemberDialog } from "./member_dialog";
import { teamTexts as say } from "./texts";

export type Member = Schemas["MemberOut"];
type Role = Schemas["Role"];

export const ROLES: Role[] = ["reviewer", "adjudicator", "owner", "observer"];

/** Who is in the review; owners invite, change and remove. */
export function Team({ review }: ViewProps) {
  useTitle(say.title);
  const { me } = usePerson();
  const [changing, change] = useState<Member | null>(null);
  const owns = review.role === "owner" && review.archived_at === null;
  const { query, items } = usePages(["review", review.id, "members"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/members", {
        params: { path: { review_id: review.id }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {review.warnings.map((one) => (
        <p class="notice warn" key={one.code}>
          {say.warnings[one.code]}
        </p>
      ))}
      <Listed query={query} n={items.length} empty={say.title}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <li key={one.user_id} class="row">
              <span>
                <strong>{one.name}</strong>
                {one.user_id === me.id && <span class="soft"> ({say.you})</span>}
                <br />
                <span class="soft small">{details(one)}</span>
              </span>
              {owns && (
                <Button aria-label={say.changeOf(one.name)} onClick={() => change(one)}>
                  {say.change}
                </Button>
              )}
              {one.user_id === me.id && review.role !== "owner" && review.archived_at === null && <Leave review={review} />}
            </li>
          ))}
        </ul>
      </Listed>
      <Interests review={review} />
      {owns && <Invite review={review} />}
      {owns && <Pilot review={review} />}
      {changing && <MemberDialog member={changing} review={review} close={() => change(null)} />}
    </Shell>
  );
}

function details(one: Member): string {
  const { workload } = one;
  return [
    texts.roles[one.role],
    workload && say.decided(workload.decided, workload.target),
    one.share !== null && say.share(one.share),
    one.paused && say.paused,
    !one.is_active && say.off,
  ]
    .filter(Boolean)
    .join(" · ");
}

function Invite({ review }: { review: Review }) {
  const [made, setMade] = useState<Schemas["NewInvitationOut"] | null>(null);
  const invite = useMutation({
    mutationFn: (body: Schemas["InvitationIn"]) =>
      data(api.POST("/api/v1/reviews/{review_id}/invitations", { ...inReview(review.id), body })),
    onSuccess: (found) => (setMade(found), outdated(review.id, "invitations")),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const email = String(form.get("email")).trim();
    invite.mutate({ role: String(form.get("role")) as Role, email: email || null });
  };
  return (
    <section class="card stack">
      <h2>{say.invite}</h2>
      <p class="hint">{say.inviteHint}</p>
      <form class="inline-form" onSubmit={submit}>
        <Field label={say.role}>
          {(ids) => (
            <select {...ids} name="role">
              {ROLES.map((role) => (
                <option key={role} value={role}>
                  {texts.roles[role]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={say.email}>{(ids) => <input {...ids} name="email" type="email" autocomplete="off" />}</Field>
        <Button kind="main" type="submit" disabled={invite.isPending}>
          {say.makeLink}
        </Button>
      </form>
      {invite.error && <Problem error={invite.error} />}
      {made && (
        <div class="notice good" role="status">
          <p>{say.link}</p>
          <code class="secret">{made.link}</code>
          <CopyButton text={made.link} />
        </div>
      )}
      <Invitations review={review} />
    </section>
  );
}

function Invitations({ review }: { review: Review }) {
  const { items } = usePages(["review", review.id, "invitations"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/invitations", {
        params: { path: { review_id: review.id }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  const revoke = useMutation({
    mutationFn: (invitation_id: string) =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/invitations/{invitation_id}", {
          params: { path: { review_id: review.id, invitation_id } },
        }),
      ),
    onSuccess: () => outdated(review.id, "invitations"),
  });
  const unused = items.filter((one) => one.state === "open" || one.state === "expired");
  if (unused.length === 0) return null;
  return (
    <>
      <h3>{say.invitations}</h3>
      <ul class="plainlist rows">
        {unused.map((one) => (
          <li class="row" key={one.id}>
            <span>
              {one.email ?? say.anybody}
              <br />
              <span class="soft small">
                {(one.state === "open" ? say.invitedAs : say.hasExpired)(texts.roles[one.role], onDay(one.expires_at))}
              </span>
            </span>
            <Button disabled={revoke.isPending} onClick={() => revoke.mutate(one.id)}>
              {one.state === "open" ? say.revoke : texts.remove}
            </Button>
          </li>
        ))}
      </ul>
      {revoke.error && <Problem error={revoke.error} />}
    </>
  );
}

function Pilot({ review }: { review: Review }) {
  const pilot = usePilot(review.id, true, true);
  const [isEnding, askToEnd] = useState(false);
  const refresh = () => outdated(review.id);
  const start = useMutation({
    mutationFn: (size: number) =>
      data(api.POST("/api/v1/reviews/{review_id}/pilot", { ...inReview(review.id), body: { size } })),
    onSuccess: refresh,
  });
  const end = useMutation({
    mutationFn: () => data(api.POST("/api/v1/reviews/{review_id}/pilot/end", inReview(review.id))),
    onSuccess: refresh,
  });
  const found = pilot.data;
  if (!found) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    start.mutate(Number(new FormData(event.target as HTMLFormElement).get("size")));
  };
  return (
    <section class="card stack">
      <h2>{say.pilot}</h2>
      {found.state !== "running" && (
        <>
          <p class="hint">{found.state === "ended" ? say.pilotEnded : say.pilotMore}</p>
          <form class="inline-form" onSubmit={submit}>
            <Field label={say.pilotSize}>
              {(ids) => <input {...ids} name="size" type="number" min={1} max={500} defaultValue="50" required />}
            </Field>
            <Button type="submit" disabled={start.isPending}>
              {found.state === "ended" ? say.pilotAgain : say.pilotStart}
            </Button>
          </form>
        </>
      )}
      {found.state === "running" && (
        <>
          <p>{say.pilotRunning(found.n_records)}</p>
          <ul class="plainlist">
            {found.records_done_by.map((one) => (
              <li key={one.user_id}>
                {one.name}: {say.decided(one.n, found.n_records)}
              </li>
            ))}
          </ul>
          <div class="actions">
            <Button onClick={() => askToEnd(true)}>{say.pilotEnd}</Button>
          </div>
          {isEnding && (
            <Confirm
              title={say.pilotEndTitle}
              effects={say.pilotEndEffects}
              does={say.pilotEnd}
              work={{ ...end, mutate: () => end.mutate() }}
              close={() => askToEnd(false)}
            />
          )}
        </>
      )}
      {start.error && <Problem error={start.error} />}
    </section>
  );
}
