import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated } from "../../api/queries";
import { at } from "../../texts/format";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { recordTexts } from "./texts";

const say = recordTexts.removal;
export const REMOVAL = "/api/v1/reviews/{review_id}/records/{record_id}/removal";

/** That a record was removed before screening, and why; owners restore it. */
export function Removed({ review, removal, mayRestore }: { review: string; removal: Schemas["RemovalOut"]; mayRestore: boolean }) {
  return (
    <div class="notice">
      <p>
        <strong>{say.done(removal.reason)}</strong>
      </p>
      <p class="small">
        {[say.kinds[removal.kind], removal.tool, say.by(removal.removed_by_name, at(removal.removed_at))].filter(Boolean).join(" · ")}
      </p>
      {mayRestore && <Restore review={review} id={removal.record_id} />}
    </div>
  );
}

/** Removes a record before screening, for owners while nobody has decided it. */
export function Removal({ review, id }: { review: string; id: string }) {
  const [isAsking, ask] = useState(false);
  const remove = useMutation({
    mutationFn: (body: Removing) =>
      data(api.PUT(REMOVAL, { params: { path: { review_id: review, record_id: id } }, body })),
    onSuccess: () => {
      outdated(review);
      ask(false);
    },
  });
  return (
    <div class="actions no-print">
      <Button onClick={() => ask(true)}>{say.title}</Button>
      {isAsking && (
        <Dialog title={say.title} close={() => ask(false)}>
          <p>{say.more}</p>
          <RemovalForm does={say.does} isBusy={remove.isPending} error={remove.error} submit={(body) => remove.mutate(body)} />
        </Dialog>
      )}
    </div>
  );
}

export type Removing = Schemas["RemovalIn"];

interface FormProps {
  does: string;
  isBusy: boolean;
  error: unknown;
  submit: (body: Removing) => void;
}

/** Who found a record not fit, and why. */
export function RemovalForm({ does, isBusy, error, submit }: FormProps) {
  const said = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    submit({ kind: text("kind") as Schemas["RemovalKind"], reason: text("reason"), tool: text("tool") || null });
  };
  return (
    <form class="form" onSubmit={said}>
      <Field label={say.kind}>
        {(ids) => (
          <select {...ids} name="kind">
            {Object.entries(say.kinds).map(([one, name]) => (
              <option key={one} value={one}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={say.reason}>{(ids) => <input {...ids} name="reason" required maxLength={500} autocomplete="off" />}</Field>
      <Field label={say.tool}>{(ids) => <input {...ids} name="tool" maxLength={200} autocomplete="off" />}</Field>
      {error ? <Problem error={error} /> : null}
      <div class="actions">
        <Button kind="danger" type="submit" disabled={isBusy}>
          {does}
        </Button>
      </div>
    </form>
  );
}

/** Brings a removed record back into the queue. */
export function Restore({ review, id }: { review: string; id: string }) {
  const restore = useMutation({
    mutationFn: () => data(api.DELETE(REMOVAL, { params: { path: { review_id: review, record_id: id } } })),
    onSuccess: () => outdated(review),
  });
  return (
    <>
      <Button disabled={restore.isPending} onClick={() => restore.mutate()}>
        {say.restore}
      </Button>
      {restore.error && <Problem error={restore.error} />}
    </>
  );
}
