import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { allOf, usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Choice } from "../../ui/choice";
import { useFilters, useTyped } from "../../ui/filters";
import { useTitle } from "../../ui/hooks";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { lazy } from "../../ui/lazy";
import { Listed } from "../../ui/list";
import { Button, ButtonLink, Field } from "../../ui/parts";
import { Tick, type Ticked, useTicked } from "../../ui/several";
import { about } from "../records/records";
import type { ViewProps } from "../review";
import { Assess } from "./assess";
import { OneReport, StandingChip } from "./one_report";
import { Places } from "./places";
import type { Report } from "./report";
import { RetrievalDialog, retrievalOf } from "./retrieval";
import { SeveralRetrievals } from "./several_retrievals";
import { reportTexts as say } from "./texts";
import "../records/records.css";
import "./reports.css";

const Studies = lazy(async () => (await import("../studies/studies")).Studies);
const ManyFiles = lazy(async () => (await import("./many_files")).ManyFiles);

/** Full texts: their list, one of them, screening them, and many files at once, and studies. */
export function Reports({ review, rest }: ViewProps) {
  if (rest === "") return <All review={review} />;
  if (rest === "screen") return <Assess review={review} />;
  if (rest === "files") return <ManyFiles review={review} />;
  if (rest === "studies") return <Studies review={review} />;
  return <OneReport key={rest} review={review} id={rest} />;
}

const FILTERS = ["q", "standing", "retrieval", "has_text", "reason"] as const;

/** What the list is narrowed to. */
interface Filters {
  q?: string;
  standing?: Schemas["Standing"];
  retrieval?: Schemas["RetrievalState"];
  has_text?: "true" | "false";
  reason?: string;
}

function All({ review }: { review: Review }) {
  useTitle(say.title);
  const [found, change] = useFilters(FILTERS);
  const filters = found as Filters;
  const [asking, ask] = useState<Report | null>(null);
  const { has_text: hasText, ...others } = filters;
  const wanted = { ...others, ...(hasText === undefined ? {} : { has_text: hasText === "true" }) };
  const read = (limit: number, cursor: { cursor?: string }) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/reports", {
        params: { path: { review_id: review.id }, query: { limit, ...wanted, ...cursor } },
      }),
    );
  const { query, items } = usePages(["review", review.id, "reports", wanted], (cursor) => read(50, cursor));
  const ticked = useTicked(JSON.stringify(wanted));
  const all = async () => {
    const found = await allOf((cursor) => read(500, cursor));
    return found.filter(isSought).map((one) => one.id);
  };
  const isOpen = review.archived_at === null && review.role !== "observer";
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Shell review={review} wide>
      <h1>{say.title}</h1>
      <Places review={review} here="list" />
      <Narrow filters={filters} change={change} />
      {isOpen && !ticked.isOn && items.some(isSought) && (
        <div class="actions">
          <Button kind="quiet" onClick={() => ticked.turn(true)}>
            {texts.several.begin}
          </Button>
        </div>
      )}
      {isOpen && <SeveralRetrievals review={review} ticked={ticked} all={all} />}
      <Listed
        query={query}
        n={items.length}
        empty={isFiltered ? say.noneFiltered : say.none}
        emptyMore={
          isFiltered ? (
            <ButtonLink href={`/r/${review.id}/reports`}>{say.showAll}</ButtonLink>
          ) : (
            <>
              <p>{say.noneMore}</p>
              <ButtonLink href={`/r/${review.id}/screen`}>{texts.nav.screen}</ButtonLink>
            </>
          )
        }
      >
        <ul class="plainlist rows">
          {items.map((one) => (
            <Row key={one.id} one={one} review={review} ticked={ticked} {...(isOpen ? { ask: () => ask(one) } : {})} />
          ))}
        </ul>
      </Listed>
      {asking && <RetrievalDialog review={review} report={asking} close={() => ask(null)} />}
    </Shell>
  );
}

/** Whether its text is still to be had: of all others the retrieval is done, or was never begun. */
const isSought = ({ standing }: Report) => standing === "being_sought" || standing === "not_retrieved";

function Row({ one, review, ticked, ask }: { one: Report; review: Review; ticked: Ticked; ask?: () => void }) {
  return (
    <li class="row record-row">
      <div class="ticking">
        {isSought(one) && <Tick ticked={ticked} id={one.id} name={one.title} />}
        <span>
          <Link href={`/r/${review.id}/reports/${one.id}`}>
            <strong>{one.title}</strong>
          </Link>
          <br />
          <span class="soft small">{about(one)}</span>
          <br />
          <span class="small">
            {retrievalOf(one)}
            {one.texts.length > 0 && ` · ${say.nFiles(one.texts.length)}`}
          </span>
          {one.retrieval?.note && isSought(one) && <p class="quote">{one.retrieval.note}</p>}
          {one.my_decision && (
            <p class="small">
              {say.mine} <VerdictMark verdict={one.my_decision.verdict} word={texts.decided[one.my_decision.verdict]} />
            </p>
          )}
        </span>
      </div>
      <span class="actions">
        <StandingChip report={one} />
        {ask && isSought(one) && (
          <Button aria-label={`${say.retrieval}: ${one.title}`} onClick={ask}>
            {say.retrieval}
          </Button>
        )}
      </span>
    </li>
  );
}

interface NarrowProps {
  filters: Filters;
  change: (what: Partial<Record<keyof Filters, string>>, how?: { replace: boolean }) => void;
}

function Narrow({ filters, change }: NarrowProps) {
  const [typed, setTyped] = useTyped(filters.q ?? "", (q) => change({ q }, { replace: true }));
  return (
    <form class="inline-form" role="search" onSubmit={(event) => event.preventDefault()}>
      <div class="field grow">
        <Field label={say.search}>
          {(ids) => <input {...ids} type="search" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />}
        </Field>
      </div>
      <Choice label={say.standing} any={say.any} now={filters.standing} options={Object.entries(say.standings)} change={(standing) => change({ standing })} />
      <Choice label={say.retrieval} any={say.any} now={filters.retrieval} options={Object.entries(say.retrievals)} change={(retrieval) => change({ retrieval })} />
      <Choice label={say.file} any={say.any} now={filters.has_text} options={Object.entries(say.hasText)} change={(has_text) => change({ has_text })} />
    </form>
  );
}
