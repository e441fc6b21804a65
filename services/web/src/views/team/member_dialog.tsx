import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { outdated, queries, type Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { type Member, ROLES } from "./team";
import { teamTexts as say } from "./texts";

const ROUTE = "/api/v1/reviews/{review_id}/members/{user_id}";

interface Props {
  member: Member;
  review: Review;
  close: () => void;
}

/** A member's role, share and pause; and the way to remove them. */
export function MemberDialog({ member, review, close }: Props) {
  const [isRemoving, remove] = useState(false);
  if (isRemoving) return <Removal member={member} review={review} close={close} />;
  return <Change member={member} review={review} close={close} remove={() => remove(true)} />;
}

function Change({ member, review, close, remove }: Props & { remove: () => void }) {
  const [role, setRole] = useState(member.role);
  const path = { review_id: review.id, user_id: member.user_id };
  const save = useMutation({
    mutationFn: (body: Schemas["MemberIn"]) => data(api.PUT(ROUTE, { params: { path }, body })),
    onSuccess: () => {
      outdated(review.id);
      close();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const share = String(form.get("share") ?? "").trim();
    save.mutate({ role, paused: form.get("paused") !== null, share: share === "" ? null : Number(share) / 100 });
  };
  return (
    <Dialog title={member.name} close={close}>
      <form class="form" onSubmit={submit}>
        <Field label={say.role} hint={say.may(texts.roleMay[role])}>
          {(ids) => (
            <select {...ids} value={role} onChange={(event) => setRole(event.currentTarget.value as "owner")}>
              {ROLES.map((one) => (
                <option key={one} value={one}>
                  {texts.roles[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {role !== "observer" && (
          <>
            <Field label={say.shareLabel}>
              {(ids) => (
                <input
                  {...ids}
                  name="share"
                  type="number"
                  min={0}
                  max={100}
                  defaultValue={member.share === null ? "" : `${Math.round(100 * member.share)}`}
                />
              )}
            </Field>
            <label class="check">
              <input type="checkbox" name="paused" defaultChecked={member.paused} />
              {say.pause}
            </label>
          </>
        )}
        {save.error && <Problem error={save.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button kind="danger" onClick={remove}>
            {say.remove}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Removal({ member, review, close }: Props) {
  const [decisions, setDecisions] = useState<"keep" | "void">("keep");
  const [since, setSince] = useState("");
  const path = { review_id: review.id, user_id: member.user_id };
  const query = {
    decisions,
    ...(decisions === "void" && since !== "" ? { since: new Date(`${since}T00:00`).toISOString() } : {}),
  };
  const preview = useQuery({
    queryKey: ["review", review.id, "removal", member.user_id, query],
    queryFn: () => data(api.DELETE(ROUTE, { params: { path, query: { ...query, dry_run: true } } })),
  });
  const [, go] = useLocation();
  const { me } = usePerson();
  const remove = useMutation({
    mutationFn: () => data(api.DELETE(ROUTE, { params: { path, query } })),
    onSuccess: () => {
      // Who has left is shown nothing more of it.
      if (member.user_id === me.id) {
        go("/");
        return void queries.invalidateQueries({ queryKey: ["reviews"] });
      }
      outdated(review.id);
      close();
    },
  });
  const effect = preview.data;
  return (
    <Dialog title={say.removeTitle(member.name)} close={close}>
      <fieldset class="form">
        {(["keep", "void"] as const).map((one) => (
          <label class="check" key={one}>
            <input type="radio" name="decisions" checked={decisions === one} onChange={() => setDecisions(one)} />
            {say[one]}
          </label>
        ))}
        {decisions === "void" && (
          <Field label={say.voidSince}>
            {(ids) => (
              <input {...ids} type="date" value={since} onChange={(event) => setSince(event.currentTarget.value)} />
            )}
          </Field>
        )}
      </fieldset>
      {effect && (
        <div class="notice warn" role="status">
          <p>{say.effect(effect.n_decisions_voided, effect.n_records_changed)}</p>
          {effect.note && <p>{effect.note}</p>}
        </div>
      )}
      {(preview.error || remove.error) && <Problem error={preview.error ?? remove.error} />}
      <div class="actions">
        <Button kind="danger" disabled={remove.isPending || !effect} onClick={() => remove.mutate()}>
          {texts.remove}
        </Button>
        <Button onClick={close}>{texts.cancel}</Button>
      </div>
    </Dialog>
  );
}
