import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { at } from "../../texts/format";
import { texts } from "../../texts/en";
import { languageCode } from "../../texts/language";
import { VerdictMark } from "../../ui/icons";
import { lastSearch, withQuery } from "../../ui/filters";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Dialog, Field, Loading, Problem } from "../../ui/parts";
import { Abstract, Byline, Elsewhere, Marked, useMarks } from "../screen/article";
import { DeclareInterest } from "./interest";
import { Removal, Removed } from "./removal";
import { recordTexts as say } from "./texts";

type Whole = Schemas["WholeRecordOut"];

/** One record: what is known of it, the decisions that may be seen, what happened to it. */
export function OneRecord({ review, id }: { review: Review; id: string }) {
  const path = { review_id: review.id, record_id: id };
  const found = useQuery({
    queryKey: ["review", review.id, "record", id],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/records/{record_id}", { params: { path } })),
  });
  const [isEditing, edit] = useState(false);
  const marks = useMarks(review);
  const record = found.data;
  const mayEdit = review.role === "owner" && review.archived_at === null;
  return (
    <Shell review={review}>
      <div class="head">
        <Link class="small" href={withQuery(`/r/${review.id}/records`, lastSearch.get(review.id) ?? "")}>
          ← {say.back}
        </Link>
        {record && mayEdit && <Button onClick={() => edit(true)}>{say.edit}</Button>}
      </div>
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {record && (
        <>
          <article class="article" lang={languageCode(record.language)}>
            <h1 class="article-title">
              <Marked text={record.title} marks={marks} />
            </h1>
            <p>
              <span class="chip">{record.removal ? say.removed : texts.statuses[record.status]}</span>
              {record.final_reason && <span class="small"> {record.final_reason}</span>}
            </p>
            <Byline record={record} />
            <Abstract record={record} marks={marks} />
            <p class="small">
              <Elsewhere record={record} />
            </p>
          </article>
          <Decisions record={record} />
          {record.removal && <Removed review={review.id} removal={record.removal} mayRestore={mayEdit} />}
          {record.removal === null && <DeclareInterest review={review} id={id} />}
          {mayEdit && record.removal === null && record.decisions.length === 0 && record.my_decision === null && record.status === "unscreened" && (
            <Removal review={review.id} id={id} />
          )}
          <History review={review.id} id={id} />
        </>
      )}
      {record && isEditing && <Edit record={record} review={review} close={() => edit(false)} />}
    </Shell>
  );
}

function Decisions({ record }: { record: Whole }) {
  const mine = record.my_decision;
  const others = record.decisions;
  if (mine === null && others.length === 0) return null;
  return (
    <section class="stack">
      <h2>{say.decisions}</h2>
      <ul class="plainlist rows">
        {others.length === 0 && mine && (
          <li class="row">
            <span>{say.myDecision}</span>
            <VerdictMark verdict={mine.verdict} word={texts.verdicts[mine.verdict]} />
          </li>
        )}
        {others.map((one) => (
          <li class="row" key={one.reviewer}>
            <span>
              {one.reviewer}
              {one.reasons.length > 0 && <span class="soft small"> · {one.reasons.join(" · ")}</span>}
              {one.note && <p class="quote">{one.note}</p>}
            </span>
            <VerdictMark verdict={one.verdict} word={texts.verdicts[one.verdict]} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Why somebody excluded it, where what happened says so. */
function reasonsOf(detail: Record<string, unknown>): string[] {
  return Array.isArray(detail["reasons"]) ? detail["reasons"].map(String) : [];
}

function History({ review, id }: { review: string; id: string }) {
  const { query, items } = usePages(["review", review, "record", id, "history"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/records/{record_id}/history", {
        params: { path: { review_id: review, record_id: id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  if (query.isSuccess && items.length === 0) return null;
  return (
    <section class="stack">
      <h2>{say.history}</h2>
      <Listed query={query} n={items.length} empty="">
        <ol class="plainlist rows">
          {items.map((one) => (
            <li key={one.sequence} class="row">
              <span>
                {say.happened(say.events[one.type] ?? one.type, one.name)}
                <span class="soft small">
                  {[
                    one.stage === "full_text" && texts.stages.full_text,
                    one.before && one.after && one.before !== one.after
                      ? say.changed(state(one.before), state(one.after))
                      : one.after && state(one.after),
                    reasonsOf(one.detail).join(", "),
                  ]
                    .filter(Boolean)
                    .map((word) => ` · ${word}`)
                    .join("")}
                </span>
              </span>
              <time class="soft small" dateTime={one.time}>
                {at(one.time)}
              </time>
            </li>
          ))}
        </ol>
      </Listed>
    </section>
  );
}

const STATES: Record<string, string> = {
  ...texts.statuses,
  include: texts.verdicts.include,
  exclude: texts.verdicts.exclude,
  maybe: texts.verdicts.maybe,
  open: say.conflictOpen,
  resolved: say.conflictSettled,
};

const state = (word: string) => STATES[word] ?? word;

function Edit({ record, review, close }: { record: Whole; review: Review; close: () => void }) {
  const save = useMutation({
    mutationFn: (body: Schemas["RecordPatch"]) =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}/records/{record_id}", {
          params: { path: { review_id: review.id, record_id: record.id } },
          body,
        }),
      ),
    onSuccess: () => {
      outdated(review.id);
      close();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const body: Schemas["RecordPatch"] = {};
    if (text("title") !== record.title) body.title = text("title");
    if (text("abstract") !== record.abstract) body.abstract = text("abstract");
    for (const name of ["journal", "doi", "pmid", "language"] as const) {
      if (text(name) !== (record[name] ?? "")) body[name] = text(name) || null;
    }
    const year = text("year") === "" ? null : Number(text("year"));
    if (year !== record.year) body.year = year;
    if (Object.keys(body).length === 0) return close();
    save.mutate(body);
  };
  return (
    <Dialog title={say.editTitle} close={close}>
      <form class="form" onSubmit={submit}>
        <Field label={say.fields.title}>
          {(ids) => <textarea {...ids} name="title" rows={2} required defaultValue={record.title} />}
        </Field>
        <Field label={say.fields.abstract}>
          {(ids) => <textarea {...ids} name="abstract" rows={8} defaultValue={record.abstract} />}
        </Field>
        {(["journal", "doi", "pmid", "language"] as const).map((name) => (
          <Field key={name} label={say.fields[name]}>
            {(ids) => <input {...ids} name={name} defaultValue={record[name] ?? ""} />}
          </Field>
        ))}
        <Field label={say.fields.year}>
          {(ids) => <input {...ids} name="year" inputMode="numeric" pattern="[0-9]{4}" defaultValue={`${record.year ?? ""}`} />}
        </Field>
        {save.error && <Problem error={save.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button onClick={close}>{texts.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
