import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated } from "../../api/queries";
import { decimals } from "../../texts/format";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Problem } from "../../ui/parts";
import { Tabs } from "../../ui/tabs";
import type { ViewProps } from "../review";
import { duplicateTexts as say } from "./texts";
import "./duplicates.css";

type Group = Schemas["GroupOut"];
type State = Schemas["GroupState"];
type Candidate = Schemas["CandidateOut"];

/** Records that may be one: side by side, with the evidence. */
export function Duplicates({ review }: ViewProps) {
  useTitle(say.title);
  const [state, setState] = useState<State>("proposed");
  const { query, items } = usePages(["review", review.id, "duplicates", state], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/duplicates", {
        params: { path: { review_id: review.id }, query: { state, limit: 20, ...cursor } },
      }),
    ),
  );
  return (
    <Shell review={review} wide>
      <h1>{say.title}</h1>
      <p class="soft">{say.lead}</p>
      <Tabs<State>
        label={say.title}
        value={state}
        options={[
          ["proposed", say.states.proposed],
          ["linked", say.states.linked],
          ["kept", say.states.kept],
        ]}
        change={setState}
      />
      <Listed query={query} n={items.length} empty={say.none[state]} emptyMore={<p>{say.noneMore[state]}</p>}>
        <ul class="plainlist stack">
          {items.map((group) => (
            <OneGroup key={group.id} group={group} review={review.id} isOpen={review.archived_at === null} />
          ))}
        </ul>
      </Listed>
    </Shell>
  );
}

function OneGroup({ group, review, isOpen }: { group: Group; review: string; isOpen: boolean }) {
  const params = { path: { review_id: review, duplicate_id: group.id } };
  const act = useMutation({
    mutationFn: (what: "merge" | "keep" | "split") =>
      data(
        what === "merge"
          ? api.POST("/api/v1/reviews/{review_id}/duplicates/{duplicate_id}/merge", { params })
          : what === "keep"
            ? api.POST("/api/v1/reviews/{review_id}/duplicates/{duplicate_id}/keep", { params })
            : api.POST("/api/v1/reviews/{review_id}/duplicates/{duplicate_id}/split", { params }),
      ),
    onSuccess: () => outdated(review),
  });
  return (
    <li class="card stack">
      <p class="small soft">
        {say.likeness(decimals(group.score))}
        {group.evidence.length > 0 && ` · ${group.evidence.join(" · ")}`}
        {group.settled_by_name && ` · ${group.settled_by_name}`}
      </p>
      <div class="scrolls" tabIndex={0} role="region" aria-label={`${group.records.map((one) => `#${one.id}`).join(", ")}: ${group.records[0]?.title ?? ""}`}>
        <Comparison records={group.records} />
      </div>
      {act.error && <Problem error={act.error} />}
      {isOpen && (
        <div class="actions">
          {group.state === "proposed" && (
            <>
              <Button kind="main" disabled={act.isPending} onClick={() => act.mutate("merge")}>
                {say.merge}
              </Button>
              <Button disabled={act.isPending} onClick={() => act.mutate("keep")}>
                {say.keep}
              </Button>
            </>
          )}
          {group.state === "linked" && (
            <Button disabled={act.isPending} onClick={() => act.mutate("split")}>
              {say.split}
            </Button>
          )}
          {group.state === "kept" && (
            <Button disabled={act.isPending} onClick={() => act.mutate("merge")}>
              {say.merge}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

const FIELDS: [keyof typeof say.fields, (one: Candidate) => string][] = [
  ["title", (one) => one.title],
  ["authors", (one) => one.authors.slice(0, 4).join("; ")],
  ["journal", (one) => one.journal ?? ""],
  ["year", (one) => `${one.year ?? ""}`],
  ["pages", (one) => [one.volume, one.issue, one.pages].filter(Boolean).join(" / ")],
  ["doi", (one) => one.doi ?? ""],
  ["abstract", (one) => one.abstract.slice(0, 200)],
];

function Comparison({ records }: { records: Candidate[] }) {
  return (
    <table class="comparison">
      <thead>
        <tr>
          <td />
          {records.map((one) => (
            <th key={one.id} scope="col">
              #{one.id} {one.source.source}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {FIELDS.map(([name, read]) => {
          const values = records.map(read);
          if (values.every((value) => value === "")) return null;
          const isSame = new Set(values.map((value) => value.toLowerCase())).size <= 1;
          return (
            <tr key={name} class={isSame ? "same" : "differs"}>
              <th scope="row">
                {say.fields[name]}
                {!isSame && <span class="hidden"> ({say.differs})</span>}
              </th>
              {values.map((value, at) => (
                <td key={records[at]?.id}>{value || "–"}</td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
