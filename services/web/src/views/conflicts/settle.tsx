import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import type { Conflict } from "./conflicts";
import { conflictTexts as say } from "./texts";
import { type Filled, Select, type SettlingVerdict, VerdictForm } from "./verdict_form";

type Body = Schemas["ResolutionIn"];

const ROUTE = "/api/v1/reviews/{review_id}/conflicts/{conflict_id}/resolution";

/** The adjudicator's decision, with what it would change shown first. */
export function Settle({ conflict, review, done }: { conflict: Conflict; review: Review; done: () => void }) {
  const [verdict, setVerdict] = useState<SettlingVerdict | null>(null);
  const needsReason = conflict.stage === "full_text" && verdict === "exclude";
  const params = { path: { review_id: review.id, conflict_id: conflict.id } };
  const settle = useMutation({
    mutationFn: (body: Body) => data(api.POST(ROUTE, { params, body })),
    onSuccess: done,
  });
  const preview = useQuery({
    queryKey: ["review", review.id, "conflict", conflict.id, "preview", verdict],
    queryFn: () =>
      data(
        api.POST(ROUTE, { params: { ...params, query: { dry_run: true } }, body: { verdict: verdict ?? "exclude" } }),
      ),
    // An exclude at full text cannot be tried without its reason, nor what is settled at all.
    enabled: verdict !== null && !needsReason && !settle.isPending && !settle.isSuccess,
  });
  const send = ({ text, ...filled }: Filled) =>
    settle.mutate({ ...filled, cause: text("cause") as Body["cause"] & string, criterion: text("criterion") });
  const effect = preview.data && "preview" in preview.data ? preview.data.preview : null;
  const criteria = [...review.criteria.include, ...review.criteria.exclude];
  return (
    <VerdictForm
      title={say.settleTitle}
      review={review}
      stage={conflict.stage}
      work={{ isPending: settle.isPending, error: settle.error ?? preview.error }}
      does={say.settle}
      send={send}
      chosen={setVerdict}
      effect={effect && say.effect(texts.statuses[effect.status_before], texts.statuses[effect.status_after])}
      fields={
        <>
          <Select label={say.cause} name="cause" none={say.noCause} options={Object.entries(say.causes)} />
          {criteria.length > 0 && (
            <Select label={say.criterion} name="criterion" none={say.noCause} options={criteria} />
          )}
        </>
      }
    />
  );
}
