import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { percent } from "../../texts/format";
import { Field, Problem } from "../../ui/parts";
import { Button } from "../../ui/parts";
import { Confirm } from "../../ui/confirm";
import { STAGE, type Whole } from "./queries";
import { stoppingTexts as say } from "./texts";

const ROUTE = "/api/v1/reviews/{review_id}/audits";
export const TARGETS = [0.8, 0.85, 0.9, 0.95, 0.99];
const CONFIDENCES = [0.8, 0.9, 0.95, 0.99];

/** What an audit costs, before it begins; owners register it here. */
export function Begin({ review, found }: { review: Review; found: Whole }) {
  const [target, setTarget] = useState(0.9);
  const [confidence, setConfidence] = useState(0.9);
  const [isAsking, ask] = useState(false);
  const owns = review.role === "owner" && review.archived_at === null;
  const canBegin = owns && found.n_included > 0;
  const body = { stage: STAGE, target_recall: target, confidence };
  const offered = found.cost.find((one) => one.target_recall === target && one.confidence === confidence);
  const asked = useQuery({
    queryKey: ["review", review.id, "stopping", "cost", target, confidence, found.as_of_seq],
    queryFn: async () => {
      const params = { path: { review_id: review.id }, query: { dry_run: true } };
      const answer = await data(api.POST(ROUTE, { params, body }));
      return "cost" in answer ? (answer.cost[0] ?? null) : null;
    },
    enabled: canBegin && offered === undefined,
  });
  const cost = offered ?? asked.data;
  return (
    <section class="card stack">
      <h2>{say.begin}</h2>
      <p>{say.beginMore}</p>
      {found.n_included === 0 && <p class="notice">{say.noIncludes}</p>}
      {found.n_included > 0 && (
        <>
          <div class="inline-form">
            <Field label={say.target}>
              {(ids) => (
                <select {...ids} value={target} onChange={(event) => setTarget(Number(event.currentTarget.value))}>
                  {TARGETS.map((one) => (
                    <option key={one} value={one}>
                      {say.targetOption(one)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <Field label={say.confidence}>
              {(ids) => (
                <select {...ids} value={confidence} onChange={(event) => setConfidence(Number(event.currentTarget.value))}>
                  {CONFIDENCES.map((one) => (
                    <option key={one} value={one}>
                      {percent(one)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          <div class="notice" role="status">
            {cost && <Cost cost={cost} found={found} />}
            {asked.error && <Problem error={asked.error} again={() => void asked.refetch()} />}
          </div>
        </>
      )}
      {!owns && <p class="hint">{say.onlyOwners}</p>}
      {canBegin && (
        <div class="actions">
          <Button kind="main" onClick={() => ask(true)}>
            {say.register}
          </Button>
        </div>
      )}
      {isAsking && <Register review={review} body={body} pool={found.n_pool} close={() => ask(false)} />}
    </section>
  );
}

function Cost({ cost, found }: { cost: Schemas["CostOut"]; found: Whole }) {
  if (cost.draws_if_none_found === 0) return <p>{say.costNothing}</p>;
  return (
    <>
      <p>{say.cost(cost.target_recall, cost.confidence, cost.draws_if_none_found, found.n_pool)}</p>
      <p class="soft">
        {say.costOneLeft(cost.draws_if_one_left)} {say.costShare(found.n_included, cost.share_of_pool)}
      </p>
    </>
  );
}

interface RegisterProps {
  review: Review;
  body: Schemas["AuditIn"];
  pool: number;
  close: () => void;
}

function Register({ review, body, pool, close }: RegisterProps) {
  const [note, setNote] = useState("");
  const register = useMutation({
    mutationFn: () => data(api.POST(ROUTE, { ...inReview(review.id), body: { ...body, note: note.trim() || null } })),
    onSuccess: () => {
      outdated(review.id, "stopping");
      close();
    },
  });
  return (
    <Confirm
      title={say.registerTitle}
      lead={say.aims(body.target_recall, body.confidence)}
      effects={say.registerEffects(pool)}
      does={say.registerNow}
      work={register}
      close={close}
    >
      <Field label={say.note}>
        {(ids) => <textarea {...ids} rows={2} value={note} onInput={(event) => setNote(event.currentTarget.value)} />}
      </Field>
    </Confirm>
  );
}
