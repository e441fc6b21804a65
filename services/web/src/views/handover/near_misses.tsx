import { useMutation } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { listed } from "../../texts/format";
import { texts } from "../../texts/en";
import { Button, Field, Loading, More, Problem } from "../../ui/parts";
import { useTitles } from "../studies/titles";
import { handoverTexts as say } from "./texts";

type NearMiss = Schemas["NearMissOut"];

/** Excluded reports that nearly were included: explained to the reader, or struck. */
export function NearMisses({ review }: { review: Review }) {
  const titles = useTitles(review.id);
  const { query, items } = usePages(["review", review.id, "flow", "near misses"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/near-misses", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  return (
    <section class="card stack">
      <h2>{say.nearMisses}</h2>
      <p class="hint">{say.nearMissesMore}</p>
      {query.isPending && <Loading />}
      {query.error && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && <p class="soft">{say.noNearMisses}</p>}
      <ul class="plainlist rows">
        {items.map((one) => (
          <One key={`${one.record_id} ${one.explanation}`} one={one} review={review} title={titles.of(one.record_id)} />
        ))}
      </ul>
      <More query={query} />
    </section>
  );
}

function One({ one, review, title }: { one: NearMiss; review: Review; title: string }) {
  const save = useMutation({
    mutationFn: (body: Schemas["NearMissIn"]) =>
      data(
        api.PUT("/api/v1/reviews/{review_id}/reports/{report_id}/near-miss", {
          params: { path: { review_id: review.id, report_id: one.record_id } },
          body,
        }),
      ),
    onSuccess: () => outdated(review.id, "flow"),
  });
  const isOpen = review.role === "owner" && review.archived_at === null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const explanation = String(new FormData(event.target as HTMLFormElement).get("explanation")).trim() || null;
    save.mutate({ listed: true, explanation });
  };
  const because = listed(one.because.map((why) => say.because[why]));
  return (
    <li class="row">
      <span class="stack">
        <span>
          <Link href={`/r/${review.id}/reports/${one.record_id}`}>{title}</Link>
          <br />
          <span class="soft small">{[one.reason, because].filter(Boolean).join(" · ")}</span>
        </span>
        {!isOpen && one.explanation && <p class="quote">{one.explanation}</p>}
        {isOpen && (
          <form class="inline-form" onSubmit={submit}>
            <Field label={say.explanation}>
              {(ids) => <input {...ids} name="explanation" maxLength={2000} defaultValue={one.explanation ?? ""} />}
            </Field>
            <Button type="submit" aria-label={say.of(texts.save, title)} disabled={save.isPending}>
              {texts.save}
            </Button>
            <Button
              kind="quiet"
              aria-label={say.of(say.strike, title)}
              disabled={save.isPending}
              onClick={() => save.mutate({ listed: false, explanation: one.explanation })}
            >
              {say.strike}
            </Button>
          </form>
        )}
        {save.error && <Problem error={save.error} />}
      </span>
    </li>
  );
}
