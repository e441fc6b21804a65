import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review, type Stage } from "../../api/queries";
import { ago, listed } from "../../texts/format";
import { texts } from "../../texts/en";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, ButtonLink, Problem } from "../../ui/parts";
import { recordTexts } from "../records/texts";
import { Abstract, useMarks } from "../screen/article";
import { changes } from "./changes";
import { Change } from "./change";

type AffectedOut = Schemas["AffectedOut"];
const say = recordTexts.mine;

/** Decisions of a stage that a change of the criteria may concern: each is confirmed or changed. */
export function Affected({ review, stage }: { review: Review; stage: Stage }) {
  const { query, items, first } = usePages(["review", review.id, "affected", stage], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/criteria/affected", {
        params: { path: { review_id: review.id }, query: { stage, limit: 50, ...cursor } },
      }),
    ),
  );
  const [changing, change] = useState<AffectedOut | null>(null);
  const criteria_version = first?.criteria_version ?? review.criteria_version;
  const confirm = useMutation({
    mutationFn: (record_id: string) =>
      data(
        api.POST("/api/v1/reviews/{review_id}/records/{record_id}/decision/confirm", {
          params: { path: { review_id: review.id, record_id }, query: { stage, criteria_version } },
        }),
      ),
    onSuccess: () => outdated(review.id),
  });
  return (
    <Shell review={review}>
      <div class="head">
        <h1>{first === undefined ? say.toLookAgain : say.affected(first.n)}</h1>
        <ButtonLink href={`/r/${review.id}/mine`}>{say.back}</ButtonLink>
      </div>
      <p class="soft">{texts.stages[stage]}</p>
      {items.length > 0 && <Changes review={review} />}
      {confirm.error && <Problem error={confirm.error} />}
      <Listed query={query} n={items.length} empty={say.noneAgain} emptyMore={<p>{first?.explanation}</p>}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <Row
              key={one.record.id}
              one={one}
              review={review}
              isBusy={confirm.isPending}
              confirm={() => confirm.mutate(one.record.id)}
              change={() => change(one)}
            />
          ))}
        </ul>
      </Listed>
      {changing && (
        <Change
          record={{ ...changing.record, my_decision: changing.decision }}
          review={review}
          stage={stage}
          close={() => change(null)}
        />
      )}
    </Shell>
  );
}

interface RowProps {
  one: AffectedOut;
  review: Review;
  isBusy: boolean;
  confirm: () => void;
  change: () => void;
}

function Row({ one: { record, decision, why }, review, isBusy, confirm, change }: RowProps) {
  const marks = useMarks(review);
  return (
    <li class="row">
      <div>
        <VerdictMark verdict={decision.verdict} word={texts.decided[decision.verdict]} />
        {decision.reasons.length > 0 && <span class="small"> · {decision.reasons.join(" · ")}</span>}
        <br />
        <strong>{record.title}</strong>
        {why.map((because) => (
          <p key={because.cause} class="small soft">
            {say.causes[because.cause](listed([...because.criteria, ...because.words].map((text) => `“${text}”`)))}
          </p>
        ))}
        {decision.note && <p class="quote">{decision.note}</p>}
        <details>
          <summary>{recordTexts.fields.abstract}</summary>
          <Abstract record={record} marks={marks} />
        </details>
      </div>
      <span class="actions">
        <Button disabled={isBusy} onClick={confirm} aria-label={say.of(say.confirm, record.title)}>
          {say.confirm}
        </Button>
        <Button onClick={change} aria-label={say.of(say.change, record.title)}>
          {say.change}
        </Button>
      </span>
    </li>
  );
}

/** What was changed in the criteria, by whom and why: the last change first. */
function Changes({ review }: { review: Review }) {
  const versions = useQuery({
    queryKey: ["review", review.id, "criteria", review.criteria_version],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/criteria", inReview(review.id))),
  }).data?.items;
  if (versions === undefined) return null;
  return (
    <details class="card" open>
      <summary>{say.whatChanged}</summary>
      {changes(versions).map((one) => (
        <section key={one.version}>
          <p class="small soft">
            {one.created_by_name}, {ago(one.created_at)}
          </p>
          {one.note && <p class="quote">{one.note}</p>}
          <ul class="plainlist">
            {(["include", "exclude"] as const).flatMap((side) => [
              ...one.gone[side].map((text) => (
                <li key={side + text}>
                  {texts.screen[side]}: <del>{text}</del>
                </li>
              )),
              ...one.added[side].map((text) => (
                <li key={side + text}>
                  {texts.screen[side]}: <ins>{text}</ins>
                </li>
              )),
            ])}
          </ul>
        </section>
      ))}
    </details>
  );
}
