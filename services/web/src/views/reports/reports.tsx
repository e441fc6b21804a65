import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data, inReview, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Field } from "../../ui/parts";
import type { ViewProps } from "../review";
import { OneReport } from "./one_report";
import { reportTexts as say } from "./texts";
import "./reports.css";

type Standing = Schemas["Standing"];

/** The records at full text: where each stands, its files, and what is decided of it. */
export function Reports({ review, rest }: ViewProps) {
  return rest === "" ? <All review={review} /> : <OneReport review={review} id={rest} />;
}

function All({ review }: { review: Review }) {
  useTitle(say.title);
  const [standing, setStanding] = useState<Standing | "">("");
  const [words, setWords] = useState("");
  const wanted = { ...(standing ? { standing } : {}), ...(words ? { q: words } : {}) };
  const { query, items } = usePages(["review", review.id, "reports", wanted], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/reports", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...wanted, ...cursor } },
      }),
    ),
  );
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      <form class="inline-form" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field label={say.search}>
          {(ids) => <input {...ids} type="search" onChange={(event) => setWords(event.currentTarget.value.trim())} />}
        </Field>
        <Field label={say.standing}>
          {(ids) => (
            <select {...ids} value={standing} onChange={(event) => setStanding(event.currentTarget.value as Standing)}>
              <option value="">{say.any}</option>
              {Object.entries(say.standings).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </form>
      <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <li class="row" key={one.id}>
              <span>
                <Link href={`/r/${review.id}/reports/${one.id}`}>
                  <strong>{one.title}</strong>
                </Link>
                <br />
                <span class="soft small">
                  {[one.authors[0], one.year, one.retrieval && say.retrievals[one.retrieval.state]]
                    .filter(Boolean)
                    .join(" · ")}
                </span>
              </span>
              <span class="chip">{say.standings[one.standing]}</span>
            </li>
          ))}
        </ul>
      </Listed>
      <Flow review={review.id} />
    </Shell>
  );
}

/** The flow diagram, for those who may see it. */
function Flow({ review }: { review: string }) {
  const flow = useQuery({
    queryKey: ["review", review, "reports", "flow"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/prisma", inReview(review))),
    retry: false,
  });
  if (!flow.data) return null;
  const picture = `${prefix}/api/v1/reviews/${review}/prisma.svg`;
  return (
    <section class="card stack">
      <h2>{say.flow}</h2>
      <img class="plot" src={picture} alt={say.flowAlt} />
      <a href={picture} target="_blank" rel="noreferrer">
        {say.flowOpen}
      </a>
    </section>
  );
}
