import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Confirm } from "../../ui/confirm";
import { Button, Field, Problem } from "../../ui/parts";
import type { Study } from "./studies";
import { studyTexts as say } from "./texts";
import type { Titles } from "./titles";

interface Props {
  study: Study;
  review: Review;
  titles: Titles;
  isOpen: boolean;
}

type Field_ = keyof typeof say.fields;

/** A study that people grouped: its reports, its facts, whether it is used, the way back. */
export function OneStudy({ study, review, titles, isOpen }: Props) {
  const [isSplitting, ask] = useState(false);
  const path = { review_id: review.id, study_id: study.id ?? "" };
  const done = () => outdated(review.id);
  const change = useMutation({
    mutationFn: (body: Schemas["StudyPatch"]) =>
      data(api.PATCH("/api/v1/reviews/{review_id}/studies/{study_id}", { params: { path }, body })),
    onSuccess: done,
  });
  const takeOut = useMutation({
    mutationFn: (report_id: string) =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/studies/{study_id}/reports/{report_id}", {
          params: { path: { ...path, report_id } },
        }),
      ),
    onSuccess: done,
  });
  const split = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/reviews/{review_id}/studies/{study_id}", { params: { path } })),
    onSuccess: done,
  });
  const error = change.error ?? takeOut.error;
  const samples = isOpen && (review.role === "owner" || review.role === "adjudicator");
  return (
    <li class="card stack">
      <div class="head">
        <h3>
          {study.label ?? say.unnamed} <span class="soft small">{say.reports(study.reports.length)}</span>
        </h3>
        {isOpen && <Button onClick={() => ask(true)}>{say.split}</Button>}
      </div>
      {study.warnings.includes("mixed_study") && <p class="notice warn">{say.mixed}</p>}
      <ul class="plainlist rows">
        {study.reports.map((id) => (
          <li class="row" key={id}>
            <span>
              <Link href={`/r/${review.id}/reports/${id}`}>{titles.of(id)}</Link>
              {study.primary === id && <span class="chip">{say.primary}</span>}
            </span>
            {isOpen && study.reports.length > 1 && (
              <span class="actions">
                {study.primary !== id && (
                  <Button
                    kind="quiet"
                    aria-label={say.of(say.makePrimary, titles.of(id))}
                    onClick={() => change.mutate({ primary: id })}
                  >
                    {say.makePrimary}
                  </Button>
                )}
                <Button kind="quiet" aria-label={say.of(say.takeOut, titles.of(id))} onClick={() => takeOut.mutate(id)}>
                  {say.takeOut}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {error && <Problem error={error} />}
      {isOpen && <Facts study={study} change={change} />}
      {samples && <Sampling key={`${study.sampled}`} study={study} review={review.id} />}
      {isSplitting && (
        <Confirm
          title={say.splitTitle}
          effects={say.splitEffects}
          does={say.split}
          work={{ ...split, mutate: () => split.mutate() }}
          close={() => ask(false)}
        />
      )}
    </li>
  );
}

interface FactsProps {
  study: Study;
  change: { mutate: (body: Schemas["StudyPatch"]) => void; isPending: boolean; isSuccess: boolean };
}

function Facts({ study, change }: FactsProps) {
  const names = Object.keys(say.fields) as Field_[];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const fields: Record<string, string> = { ...study.fields };
    for (const name of names) {
      if (text(name) === "") delete fields[name];
      else fields[name] = text(name);
    }
    change.mutate({ label: text("label") || null, fields });
  };
  return (
    <details>
      <summary>{say.details}</summary>
      <form class="form" onSubmit={submit}>
        <p class="hint">{say.detailsMore}</p>
        <Field label={say.label}>
          {(ids) => <input {...ids} name="label" maxLength={200} defaultValue={study.label ?? ""} />}
        </Field>
        {names.map((name) => (
          <Field key={name} label={say.fields[name]}>
            {(ids) => <input {...ids} name={name} maxLength={2000} defaultValue={study.fields[name] ?? ""} />}
          </Field>
        ))}
        <div class="actions">
          <Button type="submit" disabled={change.isPending}>
            {texts.save}
          </Button>
          <span role="status">{change.isSuccess && texts.saved}</span>
        </div>
      </form>
    </details>
  );
}

/** Whether a study is used in the synthesis; for those who see how others voted. */
function Sampling({ study, review }: { study: Study; review: string }) {
  const sample = useMutation({
    mutationFn: (body: Schemas["SamplingIn"]) =>
      data(
        api.PUT("/api/v1/reviews/{review_id}/studies/{study_id}/sampling", {
          params: { path: { review_id: review, study_id: study.id ?? "" } },
          body,
        }),
      ),
    onSuccess: () => outdated(review),
  });
  const now = study.sampled === null ? "unsaid" : study.sampled ? "yes" : "no";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const said = String(form.get("sampled"));
    const note = String(form.get("note") ?? "").trim() || null;
    sample.mutate({ sampled: said === "unsaid" ? null : said === "yes", note });
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <Field label={say.sampling}>
        {(ids) => (
          <select {...ids} name="sampled">
            {Object.entries(say.samplings).map(([one, name]) => (
              <option key={one} value={one} selected={one === now}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={say.samplingNote}>{(ids) => <input {...ids} name="note" maxLength={2000} />}</Field>
      <Button type="submit" disabled={sample.isPending}>
        {texts.save}
      </Button>
      {sample.error && <Problem error={sample.error} />}
    </form>
  );
}
