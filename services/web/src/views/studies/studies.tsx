import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Field, More, Problem } from "../../ui/parts";
import { about } from "../records/records";
import { Places } from "../reports/places";
import { OneStudy } from "./one_study";
import { type Titles, useTitles } from "./titles";
import { studyTexts as say } from "./texts";

export type Study = Schemas["StudyOut"];
type Report = Pick<Schemas["ListedRecordOut"], "id" | "title" | "authors" | "journal" | "year">;

/** Which reports are of one study: what may be, what people said, and the way to say so. */
export function Studies({ review }: { review: Review }) {
  useTitle(say.title);
  const isOpen = review.archived_at === null && review.role !== "observer";
  const titles = useTitles(review.id);
  const { query, items } = useStudies(review.id, "grouped");
  return (
    <Shell review={review} wide>
      <h1>{say.title}</h1>
      <Places review={review} here="studies" />
      <p class="soft">{say.lead}</p>
      {isOpen && <Proposed review={review.id} titles={titles} />}
      <section class="stack">
        <h2>{say.grouped}</h2>
        <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
          <ul class="plainlist stack">
            {items.map((one) => (
              <OneStudy key={one.id} study={one} review={review} titles={titles} isOpen={isOpen} />
            ))}
          </ul>
        </Listed>
      </section>
      <Separate review={review.id} titles={titles} isOpen={isOpen} />
      {isOpen && <Make review={review.id} />}
    </Shell>
  );
}

function useStudies(review: string, state: Schemas["StudyState"]) {
  return usePages(["review", review, "studies", state], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/studies", {
        params: { path: { review_id: review }, query: { state, limit: 50, ...cursor } },
      }),
    ),
  );
}

function useGrouping(review: string, done?: () => void) {
  return useMutation({
    mutationFn: (body: Schemas["StudyIn"]) =>
      data(api.POST("/api/v1/reviews/{review_id}/studies", { params: { path: { review_id: review } }, body })),
    onSuccess: () => {
      outdated(review);
      done?.();
    },
  });
}

function useSeparating(review: string) {
  return useMutation({
    mutationFn: (body: Schemas["SeparateIn"]) =>
      data(api.POST("/api/v1/reviews/{review_id}/separate-reports", { params: { path: { review_id: review } }, body })),
    onSuccess: () => outdated(review, "studies"),
  });
}

function Proposed({ review, titles }: { review: string; titles: Titles }) {
  const { query, items } = useStudies(review, "proposed");
  const group = useGrouping(review);
  const separate = useSeparating(review);
  const error = group.error ?? separate.error;
  if (items.length === 0) return query.error ? <Problem error={query.error} again={() => void query.refetch()} /> : null;
  return (
    <section class="stack">
      <h2>{say.proposed}</h2>
      <p class="hint">{say.proposedMore}</p>
      <ul class="plainlist stack">
        {items.map((one) => (
          <li class="card stack" key={one.reports.join(" ")}>
            <p class="small soft">{one.evidence.join(" · ")}</p>
            <ul class="plainlist stack">
              {one.reports.map((id) => (
                <li key={id}>
                  <Link href={`/r/${review}/reports/${id}`}>{titles.of(id)}</Link>
                </li>
              ))}
            </ul>
            <div class="actions">
              <Button disabled={separate.isPending} onClick={() => separate.mutate({ reports: one.reports, separate: true })}>
                {say.separate}
              </Button>
              <Button disabled={group.isPending} onClick={() => group.mutate({ reports: one.reports })}>
                {say.group}
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {error && <Problem error={error} />}
      <More query={query} />
    </section>
  );
}

/** Pairs of which somebody said that they are not one study; that can be taken back. */
function Separate({ review, titles, isOpen }: { review: string; titles: Titles; isOpen: boolean }) {
  const { query, items } = useStudies(review, "separate");
  const separate = useSeparating(review);
  if (items.length === 0) return query.error ? <Problem error={query.error} again={() => void query.refetch()} /> : null;
  return (
    <details>
      <summary>{say.separated}</summary>
      <ul class="plainlist rows">
        {items.map(({ reports }) => (
          <li class="row" key={reports.join(" ")}>
            <span>
              {reports.map((id) => (
                <div key={id}>
                  <Link href={`/r/${review}/reports/${id}`}>{titles.of(id)}</Link>
                </div>
              ))}
            </span>
            {isOpen && (
              <Button
                aria-label={say.of(say.proposeAgain, reports.map(titles.of).join(" · "))}
                disabled={separate.isPending}
                onClick={() => separate.mutate({ reports, separate: false })}
              >
                {say.proposeAgain}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {separate.error && <Problem error={separate.error} />}
      <More query={query} />
    </details>
  );
}

/** Chooses reports by words and makes them one study; what is ticked stays in sight whatever is searched. */
function Make({ review }: { review: string }) {
  const [words, setWords] = useState("");
  const [ticked, tick] = useState<readonly Report[]>([]);
  const make = useGrouping(review, () => tick([]));
  const found = useQuery({
    queryKey: ["review", review, "reports", "to group", words],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/reports", {
          params: { path: { review_id: review }, query: { limit: 20, ...(words === "" ? {} : { q: words }) } },
        }),
      ),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const label = String(new FormData(form).get("label") ?? "").trim() || null;
    make.mutate({ reports: ticked.map((one) => one.id), label }, { onSuccess: () => (form.reset(), setWords("")) });
  };
  const isTicked = (report: Report) => ticked.some((one) => one.id === report.id);
  const toggle = (report: Report) =>
    tick(isTicked(report) ? ticked.filter((one) => one.id !== report.id) : [...ticked, report]);
  const items = found.data?.items ?? [];
  const gone = ticked.filter((one) => !items.some((shown) => shown.id === one.id));
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.make}</h2>
      <p class="hint">{say.makeMore}</p>
      <Field label={say.find}>
        {(ids) => <input {...ids} type="search" onInput={(event) => setWords(event.currentTarget.value.trim())} />}
      </Field>
      <div class="choose-reports">
        {[...gone, ...items].map((one) => (
          <label class="check" key={one.id}>
            <input type="checkbox" checked={isTicked(one)} onChange={() => toggle(one)} />
            <span>
              {one.title}
              <br />
              <span class="soft small">{about(one)}</span>
            </span>
          </label>
        ))}
      </div>
      {found.data?.next_cursor != null && <p class="hint">{say.findMore}</p>}
      <Field label={say.label}>{(ids) => <input {...ids} name="label" maxLength={200} autocomplete="off" />}</Field>
      {(make.error ?? found.error) && <Problem error={make.error ?? found.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={ticked.length === 0 || make.isPending}>
          {say.submit(ticked.length)}
        </Button>
        <span role="status">{make.isSuccess && ticked.length === 0 && say.made}</span>
      </div>
    </form>
  );
}
