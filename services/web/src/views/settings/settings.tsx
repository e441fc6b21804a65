import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { api, data, inReview, type Schemas } from "../../api/client";
import { outdated, queries, type Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Confirm } from "../../ui/confirm";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { LooksLeft } from "../../ui/looks_left";
import { Button, Field, Problem } from "../../ui/parts";
import type { ViewProps } from "../review";
import { Reasons } from "./reasons";
import { Rules } from "./rules";
import { settingsTexts as say } from "./texts";
import { Webhooks } from "./webhooks";
import "./settings.css";

/** What the review asks, by which criteria and rules; for owners. */
export function Settings({ review }: ViewProps) {
  useTitle(say.title);
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {review.archived_at === null && (
        <>
          <About review={review} />
          <CriteriaForm review={review} />
          <Reasons review={review} />
          <Highlights review={review} />
          <Rules review={review} />
          <Webhooks review={review} />
        </>
      )}
      <End review={review} />
    </Shell>
  );
}

export function useChange(review: string) {
  return useMutation({
    mutationFn: (body: Schemas["ReviewPatch"]) =>
      data(api.PATCH("/api/v1/reviews/{review_id}", { ...inReview(review), body })),
    onSuccess: () => {
      outdated(review);
      void queries.invalidateQueries({ queryKey: ["reviews"] });
    },
  });
}

const linesOf = (form: FormData, name: string) =>
  String(form.get(name) ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

export function Saved({ change }: { change: ReturnType<typeof useChange> }) {
  return (
    <>
      {change.error && <Problem error={change.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={change.isPending}>
          {texts.save}
        </Button>
        <span role="status">{change.isSuccess && texts.saved}</span>
      </div>
    </>
  );
}

function About({ review }: { review: Review }) {
  const change = useChange(review.id);
  const found = review.seed_studies_found.filter((one) => one.record_id !== null).length;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    change.mutate({
      title: String(form.get("title")).trim(),
      question: String(form.get("question")).trim() || null,
      seed_studies: linesOf(form, "seeds"),
    });
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.about}</h2>
      <Field label={say.fieldTitle}>
        {(ids) => <input {...ids} name="title" required maxLength={500} defaultValue={review.title} />}
      </Field>
      <Field label={say.question}>
        {(ids) => <textarea {...ids} name="question" rows={2} defaultValue={review.question ?? ""} />}
      </Field>
      <Field
        label={say.seeds}
        hint={review.seed_studies.length > 0 ? say.seedsFound(found, review.seed_studies.length) : undefined}
      >
        {(ids) => <textarea {...ids} name="seeds" rows={3} defaultValue={review.seed_studies.join("\n")} />}
      </Field>
      <Saved change={change} />
    </form>
  );
}

function CriteriaForm({ review }: { review: Review }) {
  const change = useChange(review.id);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = event.target as HTMLFormElement;
    const form = new FormData(fields);
    const note = String(form.get("note")).trim() || null;
    change.mutate(
      { criteria: { include: linesOf(form, "include"), exclude: linesOf(form, "exclude"), note } },
      // The next change has a reason of its own.
      { onSuccess: () => ((fields.elements.namedItem("note") as HTMLInputElement).value = "") },
    );
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.criteria}</h2>
      <p class="hint">{say.criteriaMore}</p>
      {(["include", "exclude"] as const).map((side) => (
        <Field key={side} label={say[side]}>
          {(ids) => <textarea {...ids} name={side} rows={6} defaultValue={review.criteria[side].join("\n")} />}
        </Field>
      ))}
      <Field label={say.why}>{(ids) => <input {...ids} name="note" maxLength={2000} />}</Field>
      <Saved change={change} />
      <LooksLeft review={review} ifNone={texts.looks.done} />
    </form>
  );
}

function Highlights({ review }: { review: Review }) {
  const change = useChange(review.id);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    change.mutate({ highlights: { for: linesOf(form, "for"), against: linesOf(form, "against") } });
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.highlights}</h2>
      <p class="hint">{texts.screen.wordHint}</p>
      <Field label={say.wordsFor}>
        {(ids) => <textarea {...ids} name="for" rows={4} defaultValue={review.highlights.for.join("\n")} />}
      </Field>
      <Field label={say.wordsAgainst}>
        {(ids) => <textarea {...ids} name="against" rows={4} defaultValue={review.highlights.against.join("\n")} />}
      </Field>
      <Saved change={change} />
    </form>
  );
}

function End({ review }: { review: Review }) {
  const [, go] = useLocation();
  const [isOpen, open] = useState(false);
  const [isAsking, ask] = useState(false);
  const isArchived = review.archived_at !== null;
  const changed = () => {
    ask(false);
    outdated(review.id);
    void queries.invalidateQueries({ queryKey: ["reviews"] });
  };
  const archive = useMutation({
    mutationFn: () =>
      data(
        isArchived
          ? api.POST("/api/v1/reviews/{review_id}/unarchive", inReview(review.id))
          : api.POST("/api/v1/reviews/{review_id}/archive", inReview(review.id)),
      ),
    onSuccess: changed,
  });
  const remove = useMutation({
    mutationFn: (title: string) =>
      data(api.DELETE("/api/v1/reviews/{review_id}", { ...inReview(review.id), body: { title } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["reviews"] });
      go("/");
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    remove.mutate(String(new FormData(event.target as HTMLFormElement).get("title")));
  };
  return (
    <section class="card stack">
      <h2>{say.end}</h2>
      <p class="hint">{say.archiveMore}</p>
      <div class="actions">
        <Button disabled={archive.isPending} onClick={() => (isArchived ? archive.mutate() : ask(true))}>
          {isArchived ? say.unarchive : say.archive}
        </Button>
        <Button kind="danger" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          {say.delete}
        </Button>
      </div>
      {isOpen && (
        <form class="form" onSubmit={submit}>
          <p class="wrong">{say.deleteMore}</p>
          <Field label={say.deleteTitle}>{(ids) => <input {...ids} name="title" required autocomplete="off" />}</Field>
          <div class="actions">
            <Button kind="danger" type="submit" disabled={remove.isPending}>
              {say.deleteButton}
            </Button>
          </div>
        </form>
      )}
      {isAsking && (
        <Confirm
          title={say.archiveTitle}
          effects={say.archiveEffects}
          does={say.archive}
          work={{ ...archive, mutate: () => archive.mutate() }}
          close={() => ask(false)}
        />
      )}
      {!isAsking && (archive.error || remove.error) && <Problem error={archive.error ?? remove.error} />}
    </section>
  );
}
