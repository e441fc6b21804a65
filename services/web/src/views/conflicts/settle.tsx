import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Button, Field, Problem } from "../../ui/parts";
import type { Conflict } from "./conflicts";
import { conflictTexts as say } from "./texts";
import { VerdictChoice } from "./verdict_choice";

type Body = Schemas["ResolutionIn"];

/** The adjudicator's decision, with what it would change shown first. */
export function Settle({ conflict, review, done }: { conflict: Conflict; review: Review; done: () => void }) {
  const [verdict, setVerdict] = useState<Body["verdict"] | null>(null);
  const params = { path: { review_id: review.id, conflict_id: conflict.id } };
  const preview = useQuery({
    queryKey: ["review", review.id, "conflict", conflict.id, "preview", verdict],
    queryFn: () =>
      data(
        api.POST("/api/v1/reviews/{review_id}/conflicts/{conflict_id}/resolution", {
          params: { ...params, query: { dry_run: true } },
          body: { verdict: verdict ?? "exclude" },
        }),
      ),
    enabled: verdict !== null,
  });
  const settle = useMutation({
    mutationFn: (body: Body) =>
      data(api.POST("/api/v1/reviews/{review_id}/conflicts/{conflict_id}/resolution", { params, body })),
    onSuccess: done,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (verdict === null) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    const reason = verdict === "exclude" ? text("reason") : null;
    settle.mutate({
      verdict,
      reasons: reason === null ? [] : [reason],
      cause: text("cause") as Body["cause"] & string,
      criterion: text("criterion"),
      note: text("note"),
    });
  };
  const effect = preview.data && "preview" in preview.data ? preview.data.preview : null;
  const criteria = [...review.criteria.include, ...review.criteria.exclude];
  return (
    <form class="card form" onSubmit={submit} aria-label={say.settleTitle}>
      <h2>{say.settleTitle}</h2>
      <VerdictChoice legend={say.verdict} verdicts={["include", "exclude"]} value={verdict} change={setVerdict} />
      {verdict === "exclude" && review.exclusion_reasons.length > 0 && (
        <Field label={say.reason}>
          {(ids) => (
            <select {...ids} name="reason">
              <option value="">{say.noReason}</option>
              {review.exclusion_reasons.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={say.cause}>
        {(ids) => (
          <select {...ids} name="cause">
            <option value="">{say.noCause}</option>
            {Object.entries(say.causes).map(([cause, name]) => (
              <option key={cause} value={cause}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {criteria.length > 0 && (
        <Field label={say.criterion}>
          {(ids) => (
            <select {...ids} name="criterion">
              <option value="">{say.noCause}</option>
              {criteria.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={say.note}>{(ids) => <textarea {...ids} name="note" rows={2} maxLength={10_000} />}</Field>
      {effect && (
        <p class="small" role="status">
          {say.effect(texts.statuses[effect.status_before], texts.statuses[effect.status_after])}
        </p>
      )}
      {settle.error && <Problem error={settle.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={verdict === null || settle.isPending}>
          {say.settle}
        </Button>
      </div>
    </form>
  );
}
