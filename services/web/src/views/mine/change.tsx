import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review, type Stage } from "../../api/queries";
import type { Verdict } from "../../outbox/entries";
import { texts } from "../../texts/en";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { VerdictChoice } from "../conflicts/verdict_choice";
import { recordTexts } from "../records/texts";
import { ClassificationField, ReasonField } from "../reports/fields";
import { Abstract, useMarks } from "../screen/article";
import { chosen, shown } from "./several_reasons";

const say = recordTexts.mine;

interface ChangeProps {
  record: Schemas["BibliographicOut"] & Pick<Schemas["ListedRecordOut"], "my_decision">;
  review: Review;
  stage: Stage;
  close: () => void;
}

/** Another verdict, or none: on the basis of the one that is shown here. */
export function Change({ record, review, stage, close }: ChangeProps) {
  const mine = record.my_decision;
  const marks = useMarks(review);
  const [verdict, setVerdict] = useState<Verdict>(mine?.verdict ?? "maybe");
  const path = { review_id: review.id, record_id: record.id };
  const basis = mine?.id ?? null;
  const done = () => {
    outdated(review.id);
    close();
  };
  const save = useMutation({
    mutationFn: (body: Schemas["DecisionIn"]) =>
      data(api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/decision", { params: { path }, body })),
    onSuccess: done,
  });
  const withdraw = useMutation({
    mutationFn: () =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/records/{record_id}/decision", {
          params: { path, query: { stage, ...(basis === null ? {} : { basis }) } },
        }),
      ),
    onSuccess: done,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const reason = String(form.get("reason") ?? "");
    const note = String(form.get("note") ?? "").trim() || null;
    const reasons = verdict === "exclude" ? chosen(reason, mine?.reasons ?? []) : [];
    const classification = verdict === "exclude" ? null : (String(form.get("classification") ?? "") || null);
    save.mutate({
      verdict,
      reasons,
      labels: mine?.labels ?? [],
      note,
      basis,
      stage,
      criteria_version: review.criteria_version,
      classification: classification as Schemas["Classification"] | null,
    });
  };
  const now = shown(mine?.reasons ?? []);
  const reasons = [...new Set([...review.exclusion_reasons, ...(now === null ? [] : [now])])];
  return (
    <Dialog title={say.changeTitle} close={close}>
      <h3>{record.title}</h3>
      <details>
        <summary>{recordTexts.fields.abstract}</summary>
        <Abstract record={record} marks={marks} />
      </details>
      <form class="form" onSubmit={submit}>
        <VerdictChoice<Verdict>
          legend={recordTexts.myDecision}
          verdicts={["exclude", "maybe", "include"]}
          value={verdict}
          change={setVerdict}
        />
        {stage === "full_text" && verdict === "exclude" && <ReasonField review={review} chosen={now ?? undefined} />}
        {stage === "full_text" && verdict !== "exclude" && <ClassificationField chosen={mine?.classification ?? null} />}
        {stage === "title_abstract" && verdict === "exclude" && reasons.length > 0 && (
          <Field label={texts.screen.reason}>
            {(ids) => (
              <select {...ids} name="reason" defaultValue={now ?? ""}>
                <option value="">{texts.screen.noReason}</option>
                {reasons.map((one) => (
                  <option key={one} selected={one === now}>
                    {one}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label={texts.screen.note}>
          {(ids) => <textarea {...ids} name="note" rows={2} defaultValue={mine?.note ?? ""} />}
        </Field>
        {(save.error || withdraw.error) && <Problem error={save.error ?? withdraw.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button kind="danger" disabled={withdraw.isPending} onClick={() => withdraw.mutate()}>
            {say.withdraw}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
