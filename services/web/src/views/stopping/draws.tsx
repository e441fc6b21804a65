import { Link } from "wouter-preact";
import { api, data } from "../../api/client";
import { usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { number, ratio } from "../../texts/format";
import { Listed } from "../../ui/list";
import type { Audit } from "./queries";
import { stoppingTexts as say } from "./texts";

interface Props {
  review: Review;
  audit: Audit;
  /** Only the draws that are not settled: nothing is certified before they are. */
  isPending?: boolean;
}

/** The records drawn at random, in order, each with what it did to the evidence. */
export function Draws({ review, audit, isPending = false }: Props) {
  const wanted = isPending ? { outcome: "pending" as const } : {};
  const { query, items } = usePages(["review", review.id, "stopping", "draws", audit.id, isPending], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/audits/{audit_id}/draws", {
        params: { path: { review_id: review.id, audit_id: audit.id }, query: { limit: 50, ...wanted, ...cursor } },
      }),
    ),
  );
  if (isPending) {
    if (items.length === 0) return null;
    return (
      <div class="stack">
        <h3>{say.pendingDraws}</h3>
        <ul class="chips">
          {items.map((one) => (
            <li key={one.i}>
              <Link class="chip" href={`/r/${review.id}/records/${one.record_id}`}>
                {say.record(one.record_id)}
              </Link>
            </li>
          ))}
        </ul>
      </div>
    );
  }
  const columns = say.drawColumns;
  return (
    <Listed query={query} n={items.length} empty={say.drawsNone}>
      <div class="scrolls" tabIndex={0} role="region" aria-label={say.draws}>
        <table>
          <thead>
            <tr>
              <th scope="col">{columns.i}</th>
              <th scope="col">{columns.record}</th>
              <th scope="col">{columns.outcome}</th>
              <th scope="col" class="num">
                {columns.pool}
              </th>
              <th scope="col" class="num">
                {columns.factor}
              </th>
              <th scope="col" class="num">
                {columns.e}
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.i}>
                <td>{one.i}</td>
                <td>
                  <Link href={`/r/${review.id}/records/${one.record_id}`}>{say.record(one.record_id)}</Link>
                </td>
                <td>{say.outcomes[one.outcome]}</td>
                <td class="num">{number(one.pool)}</td>
                <td class="num">{one.factor.toFixed(4)}</td>
                <td class="num">{ratio(one.e)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Listed>
  );
}
