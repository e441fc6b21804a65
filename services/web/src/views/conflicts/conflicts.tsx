import { useState } from "preact/hooks";
import { Link, useSearch } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { texts } from "../../texts/en";
import { ago } from "../../texts/format";
import { useFilters, withQuery } from "../../ui/filters";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { StageField } from "../../ui/stage_field";
import { Tabs } from "../../ui/tabs";
import type { ViewProps } from "../review";
import { OneConflict } from "./one_conflict";
import { conflictTexts as say } from "./texts";
import "./conflicts.css";

export type Conflict = Schemas["ConflictOut"];
type State = Schemas["ConflictState"];
type Stage = Schemas["Stage"];

function useConflicts(review: string, state: State, stage: Stage | "") {
  return usePages(["review", review, "conflicts", state, stage], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/conflicts", {
        params: { path: { review_id: review }, query: { state, limit: 50, ...(stage === "" ? {} : { stage }), ...cursor } },
      }),
    ),
  );
}

/** What reviewers differ in; one of them when the address names it. */
export function Conflicts({ review, rest }: ViewProps) {
  useTitle(say.title);
  const [filters, change] = useFilters(["state", "stage"]);
  const state: State = filters.state === "resolved" ? "resolved" : "open";
  const stage: Stage | "" = filters.stage === "title_abstract" || filters.stage === "full_text" ? filters.stage : "";
  const search = useSearch();
  const { query, items } = useConflicts(review.id, state, stage);
  const [last, setLast] = useState<Conflict | null>(null);
  if (rest !== "") {
    return <OneConflict key={rest} review={review} id={rest} among={items} last={last} settled={setLast} />;
  }
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      <div class="inline-form">
        <Tabs
          label={say.title}
          value={state}
          options={[
            ["open", say.open],
            ["resolved", say.resolved],
          ]}
          change={(state) => change({ state: state === "open" ? "" : state })}
        />
        <StageField stage={stage} none={say.bothStages} change={(stage) => change({ stage })} />
      </div>
      <Listed
        query={query}
        n={items.length}
        empty={state === "open" ? say.noneOpen : say.noneResolved}
        emptyMore={state === "open" && <p>{say.noneOpenMore}</p>}
      >
        <ul class="plainlist rows">
          {items.map((one) => (
            <li key={one.id} class="row conflict-row">
              <Link href={withQuery(`/r/${review.id}/conflicts/${one.id}`, search)}>
                <strong>{one.record.title}</strong>
                <br />
                <span class="soft small">
                  {texts.stages[one.stage]} · {say.kinds[one.kind]} · {one.state === "open" ? say.since(ago(one.opened_at)) : outcome(one)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      </Listed>
    </Shell>
  );
}

function outcome(conflict: Conflict): string {
  const by = conflict.resolved_by;
  const who = conflict.resolution?.resolver_name;
  if (conflict.resolution && who) return say.settled(who, ago(conflict.resolution.resolved_at));
  return by === null ? say.resolved : say.settledBy[by];
}
