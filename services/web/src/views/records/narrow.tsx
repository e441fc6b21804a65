import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview } from "../../api/client";
import type { Review, Stage } from "../../api/queries";
import { texts } from "../../texts/en";
import { Choice } from "../../ui/choice";
import { useTyped } from "../../ui/filters";
import { Field } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import { asked, type Filters, RARE, statusesFor } from "./asked";
import { recordTexts as say } from "./texts";

interface Props {
  review: Review;
  filters: Filters;
  change: (what: Filters, how?: { replace: boolean }) => void;
}

/** What the list of records can be narrowed to. */
export function Narrow({ review, filters, change }: Props) {
  const { stage, order, status } = asked(review, filters);
  const [typed, setTyped] = useTyped(filters.q ?? "", (q) => change({ q }, { replace: true }));
  const n = RARE.filter((name) => filters[name] !== undefined).length;
  const [isOpen, open] = useState(n > 0);
  return (
    <form class="stack" role="search" onSubmit={(event) => event.preventDefault()}>
      <div class="inline-form">
        <div class="field grow">
          <Field label={say.search}>
            {(ids) => <input {...ids} type="search" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />}
          </Field>
        </div>
        <Choice
          label={say.status}
          any={say.any}
          now={status}
          options={statusesFor(review, stage).map((one) => [one, texts.statuses[one]] as const)}
          change={(status) => change({ status })}
        />
        <StageField stage={stage} change={(stage) => change({ stage, status: "", label: "", mine: "" })} />
        <Choice label={say.order} now={order} options={Object.entries(say.orders)} change={(order) => change({ order })} />
      </div>
      <details open={isOpen} onToggle={(event) => open(event.currentTarget.open)}>
        <summary>{say.moreFilters(n)}</summary>
        {isOpen && <Rare review={review} stage={stage} filters={filters} change={change} />}
      </details>
    </form>
  );
}

/** Asked for once somebody wants them: the names of the sources and labels are read for it. */
function Rare({ review, stage, filters, change }: Props & { stage: Stage }) {
  const sources = useQuery({
    queryKey: ["review", review.id, "imports", "names"],
    queryFn: () =>
      data(api.GET("/api/v1/reviews/{review_id}/imports", { params: { path: { review_id: review.id }, query: { limit: 500 } } })),
  });
  const labels = useQuery({
    queryKey: ["review", review.id, "records", "labels", stage],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/labels", { params: { ...inReview(review.id).params, query: { stage, limit: 500 } } }),
      ),
  });
  const named = sources.data?.items.filter((one) => one.state !== "taken_back").map((one) => one.source);
  const label = labels.data?.items.map((one) => one.label);
  return (
    <div class="rare">
      <Choice label={say.source} any={say.any} now={filters.source} options={among(named, filters.source)} change={(source) => change({ source })} />
      <Choice label={texts.screen.label} any={say.any} now={filters.label} options={among(label, filters.label)} change={(label) => change({ label })} />
      {review.role !== "observer" && (
        <Choice label={say.myDecision} any={say.any} now={filters.mine} options={Object.entries(texts.decided)} change={(mine) => change({ mine })} />
      )}
      <Choice label={say.fields.abstract} any={say.any} now={filters.abstract} options={Object.entries(say.abstracts)} change={(abstract) => change({ abstract })} />
      <Year label={say.from} now={filters.from} change={(from) => change({ from }, { replace: true })} />
      <Year label={say.to} now={filters.to} change={(to) => change({ to }, { replace: true })} />
    </div>
  );
}

/** Each once, by name, with the one that is chosen also where it is none of them any more. */
function among(names: readonly (string | null)[] | undefined, now: string | undefined): [string, string][] {
  const all = new Set([...(names ?? []), now ?? null]);
  return [...all].filter((name) => name !== null).toSorted((a, b) => a.localeCompare(b)).map((name) => [name, name]);
}

function Year({ label, now, change }: { label: string; now: string | undefined; change: (year: string) => void }) {
  const [typed, setTyped] = useTyped(now ?? "", change);
  return (
    <Field label={label}>
      {(ids) => (
        <input {...ids} inputMode="numeric" pattern="[0-9]{4}" maxLength={4} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
      )}
    </Field>
  );
}
