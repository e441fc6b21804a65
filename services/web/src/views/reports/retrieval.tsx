import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { ago } from "../../texts/format";
import { texts } from "../../texts/en";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import type { Report } from "./report";
import { reportTexts as say } from "./texts";

type State = Schemas["RetrievalState"];

interface Props {
  review: Review;
  report: Report;
  done?: () => void;
}

/** How far the retrieval of a full text is, in one line. */
export function retrievalOf(report: Report): string {
  const { retrieval } = report;
  if (retrieval === null || retrieval.at === null) return say.nothingSaid;
  const via = retrieval.via === null ? null : say.vias[retrieval.via];
  return [say.retrievals[retrieval.state], via, ago(retrieval.at)].filter(Boolean).join(" · ");
}

type Said = Schemas["RetrievalIn"];
export const RETRIEVAL = "/api/v1/reviews/{review_id}/reports/{report_id}/retrieval";

/** Says how far the retrieval is. What was said before is kept in the history. */
export function Retrieval({ review, report, done }: Props) {
  const path = { review_id: review.id, report_id: report.id };
  const save = useMutation({
    mutationFn: (body: Said) => data(api.POST(RETRIEVAL, { params: { path }, body })),
    onSuccess: () => {
      outdated(review.id);
      done?.();
    },
  });
  return <RetrievalForm now={report.retrieval} isMain={done !== undefined} save={save} />;
}

interface FormProps {
  now: Report["retrieval"];
  /** Whether to save is what the window is for. */
  isMain: boolean;
  save: { mutate: (body: Said) => void; isPending: boolean; isSuccess: boolean; error: unknown };
}

export function RetrievalForm({ now, isMain, save }: FormProps) {
  const [state, setState] = useState<State>(now !== null && now.at !== null ? now.state : "requested");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    save.mutate({ state, via: text("via") as Schemas["Via"] | null, note: text("note") });
  };
  const isLost = state === "not_retrieved";
  return (
    <form class="form" onSubmit={submit} aria-label={say.retrieval}>
      <Field label={say.setState}>
        {(ids) => (
          <select {...ids} value={state} onChange={(event) => setState(event.currentTarget.value as State)}>
            {(Object.keys(say.retrievals) as State[]).map((one) => (
              <option key={one} value={one}>
                {say.retrievals[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {(state === "requested" || state === "retrieved") && (
        <Field label={say.via} hint={state === "retrieved" ? say.viaHint : undefined}>
          {(ids) => (
            <select {...ids} name="via">
              <option value="">{texts.none}</option>
              {Object.entries(say.vias).map(([one, name]) => (
                <option key={one} value={one} selected={one === now?.via}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={isLost ? say.noteNeeded : say.note} hint={isLost ? say.noteNeededMore : undefined}>
        {(ids) => <input {...ids} name="note" maxLength={2000} required={isLost} defaultValue={now?.note ?? ""} />}
      </Field>
      {save.error ? <Problem error={save.error} /> : null}
      <div class="actions">
        <Button kind={isMain ? "main" : "plain"} type="submit" disabled={save.isPending}>
          {say.saveRetrieval}
        </Button>
        <span role="status">{save.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}

/** The same in a window, from the list. */
export function RetrievalDialog({ review, report, close }: { review: Review; report: Report; close: () => void }) {
  return (
    <Dialog title={say.retrieval} close={close}>
      <p>
        <strong>{report.title}</strong>
      </p>
      <p class="soft small">{retrievalOf(report)}</p>
      <Retrieval review={review} report={report} done={close} />
    </Dialog>
  );
}
