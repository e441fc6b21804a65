import { useEffect } from "preact/hooks";
import { Link, useSearch } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { allOf, usePages } from "../../api/pages";
import { type Review, useWaiting } from "../../api/queries";
import { texts } from "../../texts/en";
import { lastSearch, useFilters } from "../../ui/filters";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, ButtonLink } from "../../ui/parts";
import { Tick, type Ticked, useTicked } from "../../ui/several";
import type { ViewProps } from "../review";
import { asked, FILTERS, RARE } from "./asked";
import { Narrow } from "./narrow";
import { OneRecord } from "./one_record";
import { RemoveSeveral } from "./remove_several";
import { SecondLooks } from "./second_looks";
import { recordTexts as say } from "./texts";
import "./records.css";

/** All records of a review, to search; one of them when the address names it. */
export function Records({ review, rest }: ViewProps) {
  if (rest === "") return <All review={review} />;
  if (rest === "second-looks") return <SecondLooks review={review} />;
  return <OneRecord key={rest} review={review} id={rest} />;
}

function All({ review }: { review: Review }) {
  useTitle(say.title);
  const [filters, change] = useFilters(FILTERS);
  const search = useSearch();
  useEffect(() => void lastSearch.set(review.id, search), [review.id, search]);
  const waiting = useWaiting(review.id).data;
  const query = asked(review, filters);
  const read = (cursor: { cursor?: string }, limit: number, count: boolean) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/records", {
        params: { path: { review_id: review.id }, query: { fields: "brief", count, limit, ...query, ...cursor } },
      }),
    );
  const found = usePages(["review", review.id, "records", query], (cursor) => read(cursor, 50, true));
  const n = found.first?.n_matching ?? null;
  const ticked = useTicked(JSON.stringify(query));
  const isNarrowed = ["q", "status", ...RARE].some((name) => name in filters);
  const mayRemove = review.role === "owner" && review.archived_at === null && query.stage === "title_abstract";
  const all = async () => (await allOf((cursor) => read(cursor, 500, false))).map((one) => one.id);
  return (
    <Shell review={review}>
      <div class="head">
        <h1>{say.title}</h1>
        {waiting && waiting.second_looks !== null && <ButtonLink href={`/r/${review.id}/records/second-looks`}>{say.second.title}</ButtonLink>}
      </div>
      <Narrow review={review} filters={filters} change={change} />
      <div class="head">
        <p class="small soft" role="status">
          {n !== null && say.n(n)}
        </p>
        <span class="actions">
          {isNarrowed && (
            <Button kind="quiet" onClick={() => change(NOTHING)}>
              {say.clear}
            </Button>
          )}
          {mayRemove && !ticked.isOn && found.items.length > 0 && (
            <Button kind="quiet" onClick={() => ticked.turn(true)}>
              {texts.several.begin}
            </Button>
          )}
        </span>
      </div>
      {mayRemove && <RemoveSeveral review={review} ticked={ticked} n={n} all={all} />}
      <Listed query={found.query} n={found.items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
        <ul class="plainlist rows">
          {found.items.map((record) => (
            <Row key={record.id} record={record} review={review.id} ticked={ticked} />
          ))}
        </ul>
      </Listed>
    </Shell>
  );
}

const NOTHING = Object.fromEntries(["q", "status", ...RARE].map((name) => [name, ""]));

function Row({ record, review, ticked }: { record: Schemas["ListedRecordOut"]; review: string; ticked: Ticked }) {
  return (
    <li class="row record-row">
      <div class="ticking">
        <Tick ticked={ticked} id={record.id} name={record.title} />
        <Link href={`/r/${review}/records/${record.id}`}>
          <strong>{record.title}</strong>
          <br />
          <span class="soft small">{about(record)}</span>
        </Link>
      </div>
      <span class="chip">{texts.statuses[record.status]}</span>
    </li>
  );
}

export function about(record: Pick<Schemas["BibliographicOut"], "authors" | "journal" | "year" | "id">): string {
  const [author] = record.authors;
  const who = record.authors.length > 1 ? `${author} et al.` : author;
  return [who, record.journal, record.year, `#${record.id}`].filter(Boolean).join(" · ");
}
