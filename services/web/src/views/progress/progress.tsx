import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data, inReview, type Schemas } from "../../api/client";
import { type Review, type Stage, useWaiting } from "../../api/queries";
import { number, onDay } from "../../texts/format";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { LooksLeft } from "../../ui/looks_left";
import { Loading, Meter, Problem } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import type { ViewProps } from "../review";
import { onlySettles } from "../reviews/first";
import { Agreement } from "./agreement";
import { progressTexts as say } from "./texts";

type StageProgress = Schemas["StageProgressOut"];

const LAST_DAYS = 30;

/** How far the review is, as far as the person may know. */
export function Progress({ review }: ViewProps) {
  useTitle(say.title);
  const progress = useQuery({
    queryKey: ["review", review.id, "progress"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/progress", inReview(review.id))),
  });
  const [name, choose] = useState<Stage>("title_abstract");
  const stage = progress.data?.stages[name];
  const atFullText = progress.data?.stages["full_text"]?.n_records ?? 0;
  const stranded = progress.data?.stranded;
  // Owners and adjudicators count among those who screen once they have decided a record.
  const hasBegun = stage !== undefined && stage.counts.unscreened !== stage.n_records;
  return (
    <Shell review={review}>
      <div class="head">
        <h1>{say.title}</h1>
        {atFullText > 0 && <StageField<Stage> stage={name} change={choose} />}
      </div>
      {progress.isPending && <Loading />}
      {progress.error && <Problem error={progress.error} again={() => void progress.refetch()} />}
      {review.role !== "observer" && <Mine review={review} stage={name} progress={stage} />}
      <LooksLeft review={review} />
      {stranded && name === "title_abstract" && hasBegun && stranded.n_records > 0 && (
        <div class="notice warn">
          <p>
            <strong>{say.stranded(stranded.n_records)}</strong>
          </p>
          <p>{say.strandedMore(stranded.n_screeners, review.policy.title_abstract.reviewers_per_record)}</p>
          <Link href={`/r/${review.id}/team`}>{texts.nav.team}</Link>
        </div>
      )}
      {progress.data?.ranking && <p class="notice warn">{say.parked}</p>}
      {stage && <Whole key={name} stage={stage} plot={(of) => `${prefix}/api/v1/reviews/${review.id}/plots/${of}.svg?stage=${name}`} />}
      <Agreement key={name} review={review} stage={name} />
    </Shell>
  );
}

interface MineProps {
  review: Review;
  stage: Stage;
  progress: StageProgress | undefined;
}

function Mine({ review, stage, progress }: MineProps) {
  const { me } = usePerson();
  const waiting = useWaiting(review.id).data;
  const own = useQuery({
    queryKey: ["review", review.id, "progress", "own", stage],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/reviewers/{user_id}/record", {
          params: { path: { review_id: review.id, user_id: me.id }, query: { stage } },
        }),
      ),
    retry: false,
  });
  const atTitles = stage === "title_abstract";
  const left = atTitles ? waiting?.remaining_for_me : waiting?.remaining_at_full_text;
  const done = atTitles
    ? waiting?.n_decided_by_me
    : progress && (progress.reviewers.find((one) => one.user_id === me.id)?.n_decided ?? 0);
  if (typeof left !== "number" || done === undefined || onlySettles(review.role, done)) return null;
  const seconds = own.data?.median_seconds;
  const hours = seconds ? (seconds * left) / 3600 : 0;
  const pace = hours >= 1 ? say.hours(Math.round(hours)) : say.minutes(Math.max(1, Math.round(60 * hours)));
  return (
    <section class="card stack">
      <h2>{say.you}</h2>
      <Meter value={done} of={done + left} label={say.mine(done, done + left)} />
      <p>
        {say.mine(done, done + left)}
        {seconds && left > 0 ? <span class="soft"> · {say.pace(pace)}</span> : null}
      </p>
    </section>
  );
}

function Whole({ stage, plot }: { stage: StageProgress; plot: (of: "recall" | "progress") => string }) {
  const counts = Object.entries(stage.counts).filter(([, n]) => n > 0);
  const points = stage.recall?.points ?? [];
  const days = new Map<string, number>();
  for (const reviewer of stage.reviewers) {
    for (const { date, n_decisions } of reviewer.by_day) days.set(date, (days.get(date) ?? 0) + n_decisions);
  }
  const recent = [...days].toSorted(([a], [b]) => b.localeCompare(a)).slice(0, LAST_DAYS);
  return (
    <>
      <section class="card stack">
        <h2>{say.byStatus}</h2>
        <dl class="facts">
          {counts.map(([status, n]) => (
            <div key={status}>
              <dt>{texts.statuses[status as keyof typeof texts.statuses] ?? status}</dt>
              <dd>{number(n)}</dd>
            </div>
          ))}
        </dl>
      </section>
      {stage.reviewers.length > 0 && (
        <section class="card stack">
          <h2>{say.byReviewer}</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">{say.reviewer}</th>
                <th scope="col" class="num">
                  {say.decisions}
                </th>
              </tr>
            </thead>
            <tbody>
              {stage.reviewers.map((one) => (
                <tr key={one.user_id}>
                  <td>{one.name}</td>
                  <td class="num">{number(one.n_decided)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {points.length > 1 && (
        <section class="card stack">
          <h2>{stage.recall?.of === "own" ? say.curveOwn : say.curve}</h2>
          <img class="plot" src={plot("recall")} alt={say.curveAlt} />
          <details>
            <summary>{say.numbers}</summary>
            <table>
              <thead>
                <tr>
                  <th scope="col" class="num">
                    {say.screened}
                  </th>
                  <th scope="col" class="num">
                    {say.included}
                  </th>
                </tr>
              </thead>
              <tbody>
                {sampled(points).map((point) => (
                  <tr key={point.n_screened}>
                    <td class="num">{number(point.n_screened)}</td>
                    <td class="num">{number(point.n_included)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </section>
      )}
      {recent.length > 0 && (
        <section class="card stack">
          <h2>{say.days}</h2>
          <img class="plot" src={plot("progress")} alt={say.daysAlt} />
          <details>
            <summary>{say.numbers}</summary>
            <table>
              <tbody>
                {recent.map(([date, n]) => (
                  <tr key={date}>
                    <th scope="row">{onDay(`${date}T12:00:00`)}</th>
                    <td class="num">{number(n)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </section>
      )}
    </>
  );
}

const MOST_ROWS = 25;

/** At most so many points that a person may read them, with the last. */
function sampled<T>(points: T[]): T[] {
  const step = Math.ceil(points.length / MOST_ROWS);
  return points.filter((_, at) => at % step === 0 || at === points.length - 1);
}

