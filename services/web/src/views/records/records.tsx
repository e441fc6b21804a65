import { useEffect } from "preact/hooks";
import { Link, useSearch } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Choice } from "../../ui/choice";
import { lastSearch, useFilters, useTyped } from "../../ui/filters";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Field } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import type { ViewProps } from "../review";
import { OneRecord } from "./one_record";
import { recordTexts as say } from "./texts";
import "./records.css";

type Status = Schemas["ShownStatus"];
type Order = keyof typeof say.orders;

const FILTERS = ["q", "status", "stage", "source", "label", "order"] as const;

/** All records of a review, to search; one of them when the address names it. */
export function Records({ review, rest }: ViewProps) {
  return rest === "" ? <All review={review} /> : <OneRecord key={rest} review={review} id={rest} />;
}

function All({ review }: { review: Review }) {
  useTitle(say.title);
  const [filters, change] = useFilters(FILTERS);
  const search = useSearch();
  useEffect(() => void lastSearch.set(review.id, search), [review.id, search]);
  const { q, source, label } = filters;
  const stage: Schemas["Stage"] = filters.stage === "full_text" ? "full_text" : "title_abstract";
  const statuses = statusesFor(review, stage);
  const status = statuses.find((one) => one === filters.status);
  const order = (Object.keys(say.orders) as Order[]).find((one) => one === filters.order) ?? "rank";
  const [typed, setTyped] = useTyped(q ?? "", (q) => change({ q }, { replace: true }));
  const { query, items, first } = usePages(
    ["review", review.id, "records", filters],
    (cursor) =>
      data(
        api.GET("/api/v1/reviews/{review_id}/records", {
          params: {
            path: { review_id: review.id },
            query: {
              fields: "brief",
              count: true,
              limit: 50,
              order,
              stage,
              ...(source ? { source } : {}),
              ...(label ? { label } : {}),
              ...(q ? { q } : {}),
              ...(status ? { status } : {}),
              ...cursor,
            },
          },
        }),
      ),
  );
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      <form class="inline-form" role="search" onSubmit={(event) => event.preventDefault()}>
        <div class="field grow">
          <Field label={say.search}>
            {(ids) => (
              <input {...ids} type="search" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            )}
          </Field>
        </div>
        <Choice
          label={say.status}
          any={say.any}
          now={status}
          options={statuses.map((one) => [one, texts.statuses[one]] as const)}
          change={(status) => change({ status })}
        />
        <StageField stage={stage} change={(stage) => change({ stage, status: "" })} />
        <Choice label={say.order} now={order} options={Object.entries(say.orders)} change={(order) => change({ order })} />
      </form>
      <p class="small soft" role="status">
        {first !== undefined && first.n_matching !== null && say.n(first.n_matching)}
        <Narrowed source={source} label={label} clear={() => change({ source: "", label: "" })} />
      </p>
      <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
        <ul class="plainlist rows">
          {items.map((record) => (
            <li key={record.id} class="row record-row">
              <Link href={`/r/${review.id}/records/${record.id}`}>
                <strong>{record.title}</strong>
                <br />
                <span class="soft small">{about(record)}</span>
              </Link>
              <span class="chip">{texts.statuses[record.status]}</span>
            </li>
          ))}
        </ul>
      </Listed>
    </Shell>
  );
}

/** What else the list is narrowed to, by the link that led here. */
function Narrowed({ source, label, clear }: { source: string | undefined; label: string | undefined; clear: () => void }) {
  const words = [source && say.ofSource(source), label && say.ofLabel(label)].filter(Boolean);
  if (words.length === 0) return null;
  return (
    <>
      {" · "}
      {words.join(" · ")}{" "}
      <Button kind="quiet" onClick={clear}>
        {say.clear}
      </Button>
    </>
  );
}

/** What a person may ask for: blinded people know of "done" only. */
function statusesFor(review: Review, stage: Schemas["Stage"]): Status[] {
  const seesAll = review.role === "owner" || review.role === "adjudicator" || !review.policy[stage].blind;
  return seesAll ? ["unscreened", "awaiting", "conflict", "included", "excluded"] : ["unscreened", "done"];
}

export function about(record: Pick<Schemas["BibliographicOut"], "authors" | "journal" | "year" | "id">): string {
  const [author] = record.authors;
  const who = record.authors.length > 1 ? `${author} et al.` : author;
  return [who, record.journal, record.year, `#${record.id}`].filter(Boolean).join(" · ");
}
