import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { texts } from "../../texts/en";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Field } from "../../ui/parts";
import type { ViewProps } from "../review";
import { OneRecord } from "./one_record";
import { recordTexts as say } from "./texts";
import "./records.css";

type Status = Schemas["ShownStatus"];
type Order = keyof typeof say.orders;

const TYPING_MS = 300;

/** All records of a review, to search; one of them when the address names it. */
export function Records({ review, rest }: ViewProps) {
  useTitle(say.title);
  const [typed, setTyped] = useState("");
  const q = useLater(typed.trim());
  const [status, setStatus] = useState<Status | "">("");
  const [order, setOrder] = useState<Order>("rank");
  const { query, items, first } = usePages(
    ["review", review.id, "records", q, status, order],
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
              ...(q ? { q } : {}),
              ...(status ? { status } : {}),
              ...cursor,
            },
          },
        }),
      ),
    rest === "",
  );
  if (rest !== "") return <OneRecord key={rest} review={review} id={rest} />;
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
        <Field label={say.status}>
          {(ids) => (
            <select {...ids} value={status} onChange={(event) => setStatus(event.currentTarget.value as Status)}>
              <option value="">{say.any}</option>
              {statusesFor(review.role, review.policy.title_abstract.blind).map((one) => (
                <option key={one} value={one}>
                  {texts.statuses[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={say.order}>
          {(ids) => (
            <select {...ids} value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
              {Object.entries(say.orders).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </form>
      <p class="small soft" role="status">
        {first?.n_matching !== null && first !== undefined && say.n(first.n_matching)}
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

/** What a person may ask for: blinded people know of "done" only. */
function statusesFor(role: Schemas["Role"], isBlind: boolean): Status[] {
  const all: Status[] = ["unscreened", "awaiting", "conflict", "included", "excluded"];
  const seesAll = role === "owner" || role === "adjudicator" || !isBlind;
  return seesAll ? all : ["unscreened", "done"];
}

export function about(record: Pick<Schemas["BibliographicOut"], "authors" | "journal" | "year" | "id">): string {
  const [author] = record.authors;
  const who = record.authors.length > 1 ? `${author} et al.` : author;
  return [who, record.journal, record.year, `#${record.id}`].filter(Boolean).join(" · ");
}

/** A value, once nobody has changed it for a moment. */
function useLater(value: string): string {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return later;
}
