import { useQuery } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data, inReview, type Schemas } from "../../api/client";
import { type Review, useWaiting } from "../../api/queries";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { lazy } from "../../ui/lazy";
import { Loading, Problem } from "../../ui/parts";
import { State, useFlow } from "../flow/flow";
import { NoFlow } from "../flow/no_flow";
import type { ViewProps } from "../review";
import { NearMisses } from "./near_misses";
import { MethodsReport } from "./methods_report";
import { synthesisTexts } from "./synthesis_texts";
import { handoverTexts as say } from "./texts";
import "./handover.css";

const Synthesis = lazy(async () => (await import("./synthesis")).Synthesis);

type Format = keyof typeof say.formats;

/** The day after screening: what is ready, what is missing, and the files to take along. */
export function Handover({ review, rest }: ViewProps) {
  return rest === "synthesis" ? <Synthesis review={review} /> : <Whole review={review} />;
}

function Whole({ review }: { review: Review }) {
  useTitle(say.title);
  const flow = useFlow(review.id);
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {flow.isPending && <Loading />}
      {flow.error && <NoFlow error={flow.error} again={() => void flow.refetch()} />}
      {flow.data && (
        <>
          <p class="soft">{say.lead}</p>
          <Ready review={review} flow={flow.data} />
          <Files review={review} />
          <ComesBack review={review.id} />
          <MethodsReport review={review.id} as_of={flow.data.as_of} />
          <NearMisses review={review} />
        </>
      )}
    </Shell>
  );
}

function Ready({ review, flow }: { review: Review; flow: Schemas["PrismaOut"] }) {
  const waiting = useWaiting(review.id).data;
  const fileless = useQuery({
    queryKey: ["review", review.id, "reports", "included without a file"],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/reports", {
          params: { path: { review_id: review.id }, query: { standing: "included", has_text: false, limit: 500 } },
        }),
      ),
  });
  const imports = useQuery({
    queryKey: ["review", review.id, "imports", "searches"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/imports", inReview(review.id))),
  });
  const n = (key: string) => flow.boxes[key]?.n ?? 0;
  const [reports, studies] = [n("new_reports"), n("new_studies")];
  const searches = imports.data?.items.filter((one) => one.state === "done") ?? [];
  const lacking = searches.filter((one) => one.source === null || one.searched_on === null || one.strategy === null);
  const without = fileless.data?.items.length ?? 0;
  const error = fileless.error ?? imports.error;
  return (
    <section class="stack">
      <h2>{say.ready}</h2>
      {reports === 0 ? (
        <div class="notice">
          <p>{say.nothing}</p>
          <Link class="button" href={`/r/${review.id}/reports`}>
            {say.toFullTexts}
          </Link>
        </div>
      ) : (
        <p class="handover-n">{say.included(reports, studies)}</p>
      )}
      <State review={review} flow={flow} />
      <ul class="plainlist checks">
        {reports > 0 && fileless.data && (
          <Check isDone={without === 0}>
            {without === 0 ? (
              say.allFiles
            ) : (
              <Link href={`/r/${review.id}/reports?standing=included&has_text=false`}>{say.noFile(without)}</Link>
            )}
          </Check>
        )}
        {waiting && (
          <Check isDone={!waiting.conflicts}>
            {waiting.conflicts ? (
              <Link href={`/r/${review.id}/conflicts`}>{say.conflicts(waiting.conflicts)}</Link>
            ) : (
              say.noConflicts
            )}
          </Check>
        )}
        {searches.length > 0 && (
          <Check isDone={lacking.length === 0}>
            {lacking.length === 0 ? (
              say.allSearches
            ) : (
              <Link href={`/r/${review.id}/flow#sources`}>{say.searches(lacking.length, searches.length)}</Link>
            )}
          </Check>
        )}
      </ul>
      {error && <Problem error={error} />}
    </section>
  );
}

function Check({ isDone, children }: { isDone: boolean; children: ComponentChildren }) {
  return (
    <li class={isDone ? "done" : "open"}>
      <span aria-hidden="true">{isDone ? "✓" : "○"}</span>
      <span>{children}</span>
    </li>
  );
}

function Files({ review }: { review: Review }) {
  const [hasTexts, setTexts] = useState(true);
  const address = (format: Format) => {
    const texts = format === "qdc" ? "" : `&texts=${hasTexts}`;
    return `${prefix}/api/v1/reviews/${review.id}/handover?format=${format}${texts}`;
  };
  return (
    <section class="card stack">
      <h2>{say.files}</h2>
      <label class="check">
        <input type="checkbox" checked={hasTexts} onChange={(event) => setTexts(event.currentTarget.checked)} />
        <span>
          {say.withTexts}
          <br />
          <span class="hint">{say.withTextsMore}</span>
        </span>
      </label>
      <ul class="plainlist rows">
        {(Object.keys(say.formats) as Format[]).map((format) => (
          <li class="row" key={format}>
            <span>
              <strong>{say.formats[format].name}</strong>
              <br />
              <span class="soft small">{say.formats[format].for}</span>
            </span>
            {format === "rocrate" && review.role !== "owner" ? (
              <span class="chip">{say.ownersOnly}</span>
            ) : (
              <a class="button" href={address(format)} download aria-label={say.of(say.download, say.formats[format].name)}>
                {say.download}
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The way to what comes back from the coding tool. */
function ComesBack({ review }: { review: string }) {
  return (
    <section class="card stack">
      <h2>{synthesisTexts.title}</h2>
      <p class="soft">{synthesisTexts.lead}</p>
      <div class="actions">
        <Link class="button" href={`/r/${review}/handover/synthesis`}>
          {say.goOn}
        </Link>
      </div>
    </section>
  );
}
