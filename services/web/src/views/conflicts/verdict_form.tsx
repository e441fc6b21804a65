import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { Button, Field, Problem } from "../../ui/parts";
import { ClassificationField, ReasonField } from "../reports/fields";
import { conflictTexts as say } from "./texts";
import { VerdictChoice } from "./verdict_choice";

export type SettlingVerdict = "include" | "exclude";

export interface Filled {
  verdict: SettlingVerdict;
  reasons: string[];
  note: string | null;
  /** At full text, of what is included. */
  classification: Schemas["Classification"] | null;
  /** What stands in another field; null where nothing does. */
  text: (name: string) => string | null;
}

interface Props {
  title: string;
  hint?: string;
  review: Review;
  stage: Schemas["Stage"];
  work: { isPending: boolean; error: unknown };
  does: string;
  send: (filled: Filled) => void;
  chosen?: (verdict: SettlingVerdict) => void;
  /** Fields between the reason and the note. */
  fields?: ComponentChildren;
  effect?: string | null;
}

/** A verdict on a conflict with its reason and a note: an adjudicator's, or a second vote. */
export function VerdictForm({ title, hint, review, stage, work, does, send, chosen, fields, effect }: Props) {
  const [verdict, setVerdict] = useState<SettlingVerdict | null>(null);
  const choose = (one: SettlingVerdict) => {
    setVerdict(one);
    chosen?.(one);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (verdict === null) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    const reason = verdict === "exclude" ? text("reason") : null;
    const classification = verdict === "include" ? (text("classification") as Filled["classification"]) : null;
    send({ verdict, reasons: reason === null ? [] : [reason], note: text("note"), classification, text });
  };
  return (
    <form class="card form" onSubmit={submit} aria-label={title}>
      <h2>{title}</h2>
      {hint && <p class="soft small">{hint}</p>}
      <VerdictChoice legend={say.verdict} verdicts={["include", "exclude"]} value={verdict} change={choose} />
      {stage === "full_text" && verdict === "exclude" && <ReasonField review={review} />}
      {stage === "full_text" && verdict === "include" && <ClassificationField chosen={null} />}
      {stage === "title_abstract" && verdict === "exclude" && review.exclusion_reasons.length > 0 && (
        <Select label={say.reason} name="reason" none={say.noReason} options={review.exclusion_reasons} />
      )}
      {fields}
      <Field label={say.note}>{(ids) => <textarea {...ids} name="note" rows={2} maxLength={10_000} />}</Field>
      {effect && (
        <p class="small" role="status">
          {effect}
        </p>
      )}
      {work.error ? <Problem error={work.error} /> : null}
      <div class="actions">
        <Button kind="main" type="submit" disabled={verdict === null || work.isPending}>
          {does}
        </Button>
      </div>
    </form>
  );
}

interface SelectProps {
  label: string;
  name: string;
  none: string;
  /** Texts, or pairs of what is sent and what is shown. */
  options: readonly (string | [string, string])[];
}

export function Select({ label, name, none, options }: SelectProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} name={name}>
          <option value="">{none}</option>
          {options.map((one) => {
            const [value, shown] = typeof one === "string" ? [one, one] : one;
            return (
              <option key={value} value={value}>
                {shown}
              </option>
            );
          })}
        </select>
      )}
    </Field>
  );
}
