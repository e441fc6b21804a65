import { useMutation } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { once } from "../../api/once";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { type Wave, useWaves } from "../../api/waves";
import { Button, ButtonLink, Dialog, Field, More, Problem } from "../../ui/parts";
import { listed } from "../../texts/format";
import { CorrectSearch, missingOf, searchOf } from "../imports/correct";
import { Present } from "../imports/present";
import { importTexts } from "../imports/texts";
import { flowTexts as say } from "./texts";

type Import = Schemas["ImportOut"];

/** Where the records come from, which decides their column; and the way to begin another search. */
export function Sources({ review }: { review: Review }) {
  const [isAsking, ask] = useState(false);
  const isOpen = review.role === "owner" && review.archived_at === null;
  const { query, items } = usePages(["review", review.id, "imports", "sources"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/imports", {
        params: { path: { review_id: review.id }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  useEffect(() => {
    if (location.hash === "#sources") document.getElementById("sources")?.scrollIntoView();
  }, [query.isSuccess]);
  const waves = useWaves(review.id);
  const done = items.filter((one) => one.state === "done");
  return (
    <section class="card stack" id="sources">
      <h2>{say.sources}</h2>
      {isOpen && <p class="hint">{say.sourcesMore}</p>}
      {query.isSuccess && done.length === 0 && <p class="soft">{say.noSources}</p>}
      <ul class="plainlist rows">
        {done.map((one) => (
          <One key={one.id} one={one} review={review.id} waves={waves} isOpen={isOpen} />
        ))}
      </ul>
      <More query={query} />
      {query.error && <Problem error={query.error} again={() => void query.refetch()} />}
      <Present waves={waves}>{isOpen && <ButtonLink href={`/r/${review.id}/import`}>{importTexts.title}</ButtonLink>}</Present>
      {isOpen && (
        <div class="actions">
          <Button onClick={() => ask(true)}>{say.searchAgain}</Button>
        </div>
      )}
      {isAsking && <SearchAgain review={review.id} close={() => ask(false)} />}
    </section>
  );
}

function One({ one, review, waves, isOpen }: { one: Import; review: string; waves: Wave[]; isOpen: boolean }) {
  const change = useMutation({
    mutationFn: (found_by: Schemas["FoundBy"]) =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}/imports/{import_id}", {
          params: { path: { review_id: review, import_id: one.id } },
          body: { found_by },
        }),
      ),
    onSuccess: () => outdated(review),
  });
  const missing = missingOf(one);
  return (
    <li class="row">
      <span>
        <strong>{one.source ?? say.unnamed}</strong>
        <br />
        <span class="soft small">
          {[one.filename, say.nRecords(one.n_read - one.n_rejected), searchOf(one), waves.find(({ wave }) => wave === one.wave)?.label].filter(Boolean).join(" · ")}
        </span>
        {missing.length > 0 && (
          <>
            <br />
            <span class="small lacking">{importTexts.notSaid(listed(missing))}</span>
          </>
        )}
        {isOpen && (
          <div>
            <CorrectSearch one={one} review={review} />
          </div>
        )}
        {change.error && <Problem error={change.error} />}
      </span>
      {isOpen ? (
        <Field label={say.foundBy}>
          {(ids) => (
            <select
              {...ids}
              value={one.found_by}
              disabled={change.isPending}
              onChange={(event) => change.mutate(event.currentTarget.value as Schemas["FoundBy"])}
            >
              {Object.entries(importTexts.waysFound).map(([way, name]) => (
                <option key={way} value={way}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : (
        <span class="chip">{importTexts.waysFound[one.found_by]}</span>
      )}
    </li>
  );
}

/** Begins another search, to which later imports belong. */
function SearchAgain({ review, close }: { review: string; close: () => void }) {
  const begin = useMutation({
    mutationFn: (body: Schemas["WaveIn"]) =>
      once(["wave", review, body], (headers) =>
        data(api.POST("/api/v1/reviews/{review_id}/waves", { ...inReview(review), body, headers })),
      ),
    onSuccess: () => {
      outdated(review);
      close();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    begin.mutate({ label: String(form.get("label")).trim(), reason: String(form.get("reason")) as Schemas["WaveKind"] });
  };
  return (
    <Dialog title={say.searchAgain} close={close}>
      <p>{say.searchAgainMore}</p>
      <form class="form" onSubmit={submit}>
        <Field label={say.label}>{(ids) => <input {...ids} name="label" required maxLength={200} autocomplete="off" />}</Field>
        <Field label={say.reason}>
          {(ids) => (
            <select {...ids} name="reason">
              {Object.entries(say.reasons).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {begin.error && <Problem error={begin.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={begin.isPending}>
            {say.begin}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
