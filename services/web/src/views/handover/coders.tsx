import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { decimals, number } from "../../texts/format";
import { Loading, Problem } from "../../ui/parts";
import { synthesisTexts as say } from "./synthesis_texts";

type Figure = Schemas["FigureOut"];

/** How far coders used the same codes; fetched once somebody asks for it, as many teams do not want it. */
export function Coders({ review }: { review: string }) {
  const [isOpen, open] = useState(false);
  return (
    <details class="card" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>
        <h2 class="in-line">{say.agreement}</h2>
      </summary>
      {isOpen && <Figures review={review} />}
    </details>
  );
}

function Figures({ review }: { review: string }) {
  const found = useQuery({
    queryKey: ["review", review, "synthesis", "agreement"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/synthesis/agreement", inReview(review))),
  });
  if (found.isPending) return <Loading />;
  if (found.error) return <Problem error={found.error} again={() => void found.refetch()} />;
  const pairs = found.data.items;
  if (pairs.length === 0) return <p class="soft">{say.agreementNone}</p>;
  return (
    <div class="stack">
      <p class="hint">{say.agreementMore}</p>
      <div class="scrolls" tabIndex={0} role="region" aria-label={say.agreement}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say.coderPair}</th>
              {[say.nReports, say.nCodes, say.percent, say.kappa, say.ac1].map((name) => (
                <th scope="col" class="num" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {pairs.map((one) => (
              <tr key={`${one.first} ${one.second}`}>
                <th scope="row">
                  {say.twoCoders(one.first, one.second)}
                  {one.n_one > 0 && <span class="soft small"> · {say.byOne(one.n_one)}</span>}
                  {one.figures.note && <p class="soft small">{one.figures.note}</p>}
                </th>
                <td class="num">{number(one.n_reports)}</td>
                <td class="num">{number(one.n_codes)}</td>
                {[one.figures.percent, one.figures.kappa, one.figures.ac1].map((figure, at) => (
                  <td class="num" key={at}>
                    {shown(figure)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function shown({ value, low, high }: Figure): string {
  if (value === null) return "–";
  return low === null || high === null ? decimals(value) : `${decimals(value)} (${decimals(low)} to ${decimals(high)})`;
}
