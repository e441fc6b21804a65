import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data, type Schemas } from "../../api/client";
import { listed } from "../../texts/format";
import { Field, Loading, Problem } from "../../ui/parts";
import { synthesisTexts as say } from "./synthesis_texts";

type RowsOf = Schemas["RowsOf"];
type Found = Schemas["MatrixOut"];

/** Constructs by studies: each with the passages that it rests on. */
export function Matrix({ review }: { review: string }) {
  const [of, show] = useState<RowsOf>("constructs");
  const found = useQuery({
    queryKey: ["review", review, "synthesis", "matrix", of],
    queryFn: async () =>
      (await data(
        api.GET("/api/v1/reviews/{review_id}/synthesis/matrix", {
          params: { path: { review_id: review }, query: { format: "json", of } },
        }),
      )) as Found,
  });
  return (
    <section class="card stack">
      <h2>{say.matrix}</h2>
      <div class="inline-form">
        <Field label={say.rows}>
          {(ids) => (
            <select {...ids} value={of} onChange={(event) => show(event.currentTarget.value as RowsOf)}>
              {Object.entries(say.rowsOf).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <a class="button" href={`${prefix}/api/v1/reviews/${review}/synthesis/matrix?format=csv&of=${of}`} download="matrix.csv">
          {say.csv}
        </a>
      </div>
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.data && (found.data.rows.length === 0 ? <p class="soft">{say.noRows}</p> : <Rows review={review} found={found.data} />)}
    </section>
  );
}

function Rows({ review, found }: { review: string; found: Found }) {
  const names = new Map(found.studies.map((one) => [one.key, one.label]));
  const unfed = found.studies.filter((one) => one.feeds_none === true).map((one) => one.label);
  return (
    <>
      {found.studies.length > 0 && <p>{unfed.length > 0 ? say.feedsNone(listed(unfed)) : say.all}</p>}
      <ul class="plainlist rows">
        {found.rows.map((row) => (
          <li class="row" key={row.code_id}>
            <details>
              <summary>
                {row.path.join(" › ")} <span class="soft small">{say.n(row.n_passages)}</span>
              </summary>
              {row.cells.map((cell) => (
                <div key={cell.study} class="stack">
                  <h3>{names.get(cell.study) ?? say.study}</h3>
                  {cell.passages.map((one, at) => (
                    <blockquote class="quote" key={at}>
                      {one.quote}{" "}
                      <Link class="small" href={`/r/${review}/reports/${one.record_id}`}>
                        #{one.record_id}
                      </Link>
                    </blockquote>
                  ))}
                </div>
              ))}
            </details>
          </li>
        ))}
      </ul>
    </>
  );
}
