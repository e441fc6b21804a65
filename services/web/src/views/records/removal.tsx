import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated } from "../../api/queries";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { recordTexts } from "./texts";

const say = recordTexts.removal;
const ROUTE = "/api/v1/reviews/{review_id}/records/{record_id}/removal";

/** Removes a record before screening, for owners while nobody has decided it; and restores it. */
export function Removal({ review, id }: { review: string; id: string }) {
  const [isAsking, ask] = useState(false);
  const path = { review_id: review, record_id: id };
  const remove = useMutation({
    mutationFn: (body: Schemas["RemovalIn"]) => data(api.PUT(ROUTE, { params: { path }, body })),
    onSuccess: () => {
      outdated(review);
      ask(false);
    },
  });
  if (remove.data !== undefined) {
    return (
      <div class="notice" role="status">
        <p>{say.done(remove.data.reason)}</p>
        <Restore review={review} id={id} done={() => remove.reset()} />
      </div>
    );
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const kind = text("kind") as Schemas["RemovalKind"];
    remove.mutate({ kind, reason: text("reason"), tool: text("tool") || null });
  };
  return (
    <div class="actions no-print">
      <Button onClick={() => ask(true)}>{say.title}</Button>
      {isAsking && (
        <Dialog title={say.title} close={() => ask(false)}>
          <p>{say.more}</p>
          <form class="form" onSubmit={submit}>
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
            <Field label={say.reason}>
              {(ids) => <input {...ids} name="reason" required maxLength={500} autocomplete="off" />}
            </Field>
            <Field label={say.tool}>{(ids) => <input {...ids} name="tool" maxLength={200} autocomplete="off" />}</Field>
            {remove.error && <Problem error={remove.error} />}
            <div class="actions">
              <Button kind="danger" type="submit" disabled={remove.isPending}>
                {say.does}
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}

/** Brings a removed record back into the queue. */
export function Restore({ review, id, done }: { review: string; id: string; done?: () => void }) {
  const restore = useMutation({
    mutationFn: () => data(api.DELETE(ROUTE, { params: { path: { review_id: review, record_id: id } } })),
    onSuccess: () => {
      outdated(review);
      done?.();
    },
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
