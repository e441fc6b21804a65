import { Link, useSearch } from "wouter-preact";
import { api, data } from "../../api/client";
import { usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Restore } from "../records/removal";
import { NoFlow } from "./no_flow";
import { flowTexts as say } from "./texts";

/** What was removed before screening can be restored from here. */
const REMOVED = new Set(["excluded_automatic", "excluded_other"]);

/** The records or studies that a number of the flow counts. */
export function Behind({ review, box }: { review: Review; box: string }) {
  const asked = new URLSearchParams(useSearch());
  const part = asked.get("part");
  const wave = Number(asked.get("wave")) || null;
  const { query, items, first } = usePages(["review", review.id, "flow", "box", box, part, wave], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/prisma/boxes/{key}", {
        params: {
          path: { review_id: review.id, key: box },
          query: { limit: 100, ...(part === null ? {} : { part }), ...(wave === null ? {} : { wave }), ...cursor },
        },
      }),
    ),
  );
  const title = first?.label ?? say.title;
  useTitle(title);
  return (
    <Shell review={review}>
      <Link class="small" href={`/r/${review.id}/flow`}>
        ← {say.back}
      </Link>
      <h1>{title}</h1>
      <p class="soft" role="status">
        {[part, first && say.items(first.n)].filter(Boolean).join(" · ")}
      </p>
      {query.error && items.length === 0 ? (
        <NoFlow error={query.error} again={() => void query.refetch()} />
      ) : (
        <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
          <ol class="plainlist rows">
            {items.map((one) => (
              <li class="row record-row" key={one.record_id ?? one.study_id}>
                <Link href={one.record_id === null ? `/r/${review.id}/reports/studies` : `/r/${review.id}/records/${one.record_id}`}>
                  {one.title ?? say.study}
                </Link>
                <span class="actions soft small">
                  {REMOVED.has(box) && review.role === "owner" && one.record_id !== null && one.seq !== null && (
                    <Restore review={review.id} id={one.record_id} />
                  )}
                  {[one.record_id && `#${one.record_id}`, one.seq !== null && say.event(one.seq)].filter(Boolean).join(" · ")}
                </span>
              </li>
            ))}
          </ol>
        </Listed>
      )}
    </Shell>
  );
}
