import { useMutation } from "@tanstack/preact-query";
import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review, type Stage } from "../../api/queries";
import { ago, percent } from "../../texts/format";
import { useFilters } from "../../ui/filters";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Empty, Problem } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import { Abstract, useMarks } from "../screen/article";
import { about } from "./records";
import { recordTexts } from "./texts";

const say = recordTexts.second;
const ROUTE = "/api/v1/reviews/{review_id}/second-looks";
const LOOK_MS = 3000;

/** Excluded records, the most include-like first, to be read once more; not for the blinded. */
export function SecondLooks({ review }: { review: Review }) {
  useTitle(say.title);
  const [filters, change] = useFilters(["stage"]);
  const stage: Stage = filters.stage === "full_text" ? "full_text" : "title_abstract";
  const params = { path: { review_id: review.id }, query: { stage } };
  const { query, items, first } = usePages(["review", review.id, "records", "second", stage], (cursor) =>
    data(api.GET(ROUTE, { params: { ...params, query: { ...params.query, limit: 50, ...cursor } } })),
  );
  const make = useMutation({
    mutationFn: () => data(api.POST(ROUTE, { params })),
    onSuccess: () => outdated(review.id, "records", "second"),
  });
  const isBeingMade = first?.state === "asked";
  useEffect(() => {
    if (!isBeingMade) return;
    const looking = setInterval(() => outdated(review.id, "records", "second"), LOOK_MS);
    return () => clearInterval(looking);
  }, [isBeingMade, review.id]);
  const mayMake = review.archived_at === null && !isBeingMade;
  const button = (says: string) => mayMake && <Button onClick={() => make.mutate()}>{says}</Button>;
  return (
    <Shell review={review}>
      <Link class="small" href={`/r/${review.id}/records`}>
        ← {recordTexts.back}
      </Link>
      <div class="head">
        <h1>{say.title}</h1>
        <StageField<Stage> stage={stage} change={(stage) => change({ stage })} />
      </div>
      <p>{say.lead}</p>
      <p class="soft">{say.how}</p>
      {make.error && <Problem error={make.error} />}
      {isBeingMade && (
        <p class="notice" role="status">
          {say.being}
        </p>
      )}
      {first?.state === "none" ? (
        <Empty title={say.never}>
          <p>{say.neverMore}</p>
          {button(say.make)}
        </Empty>
      ) : (
        <>
          {first?.made_at && (
            <div class="head">
              <p class="small soft">{[first.is_stale && say.stale, say.made(ago(first.made_at))].filter(Boolean).join(" ")}</p>
              {button(say.again)}
            </div>
          )}
          {(first === undefined || first.made_at !== null) && (
            <Listed query={query} n={items.length} empty={first?.n_scored === 0 ? say.few : say.none} emptyMore={first?.n_scored === 0 && <p>{say.fewMore}</p>}>
              <ul class="plainlist rows">
                {items.map((one) => (
                  <Row key={one.record.id} one={one} review={review} />
                ))}
              </ul>
            </Listed>
          )}
        </>
      )}
    </Shell>
  );
}

function Row({ one: { record, n_decisions, likeness }, review }: { one: Schemas["SecondLookOut"]; review: Review }) {
  const marks = useMarks(review);
  return (
    <li class="row">
      <div>
        <Link href={`/r/${review.id}/records/${record.id}`}>
          <strong>{record.title}</strong>
        </Link>
        <br />
        <span class="soft small">{[about(record), say.read(n_decisions), record.final_reason].filter(Boolean).join(" · ")}</span>
        <p class="small">{say.like(percent(likeness))}</p>
        <details>
          <summary>{recordTexts.fields.abstract}</summary>
          <Abstract record={record} marks={marks} />
        </details>
      </div>
    </li>
  );
}
