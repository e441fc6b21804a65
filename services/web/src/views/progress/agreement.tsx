import { useQuery } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";
import { codeOf } from "../../api/problem";
import type { Review, Stage } from "../../api/queries";
import { decimals } from "../../texts/format";
import { Problem } from "../../ui/parts";
import { progressTexts as say } from "./texts";

type Figure = Schemas["FigureOut"];
type Name = keyof typeof say.figures;

/** How well the reviewers agree; only for those who may see it. */
export function Agreement({ review, stage }: { review: Review; stage: Stage }) {
  const agreement = useQuery({
    queryKey: ["review", review.id, "agreement", stage],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/agreement", { params: { path: { review_id: review.id }, query: { stage } } }),
      ),
  });
  if (codeOf(agreement.error) === "forbidden") return null;
  if (agreement.error) return <Problem error={agreement.error} again={() => void agreement.refetch()} />;
  const overall = agreement.data?.overall;
  if (!overall) return null;
  return (
    <section class="card stack">
      <h2>{say.agreement}</h2>
      {overall.n === 0 ? (
        <p class="soft">{overall.note ?? say.agreementNone}</p>
      ) : (
        <>
          <p class="soft small">{say.agreementMore}</p>
          <p>{say.both(overall.n_records)}</p>
          {overall.note && <p class="notice warn">{overall.note}</p>}
          <div class="scrolls">
            <Table figures={overall} />
          </div>
          {(agreement.data?.pairs.length ?? 0) > 1 &&
            agreement.data?.pairs.map((pair) => (
              <details key={pair.first.user_id + pair.second.user_id}>
                <summary>{say.pair(pair.first.name, pair.second.name)}</summary>
                <Table figures={pair.agreement} />
              </details>
            ))}
        </>
      )}
    </section>
  );
}

function Table({ figures }: { figures: Schemas["ComparedOut"] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{say.figure}</th>
          <th scope="col" class="num">
            {say.value}
          </th>
          <th scope="col" class="num">
            {say.interval}
          </th>
        </tr>
      </thead>
      <tbody>
        {(Object.keys(say.figures) as Name[]).map((name) => (
          <tr key={name}>
            <td>{say.figures[name]}</td>
            <td class="num">{shown(figures[name].value)}</td>
            <td class="num">{interval(figures[name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const shown = (value: number | null) => (value === null ? "–" : decimals(value));

function interval({ low, high }: Figure): string {
  return low === null || high === null ? "–" : `${decimals(low)} to ${decimals(high)}`;
}
