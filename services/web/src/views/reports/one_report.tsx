import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { languageCode } from "../../texts/language";
import { useTitle } from "../../ui/hooks";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Button, Field, Loading, Problem } from "../../ui/parts";
import { VerdictChoice } from "../conflicts/verdict_choice";
import { Abstract, Byline, Elsewhere, useMarks } from "../screen/article";
import { Criteria } from "../screen/criteria";
import { Ratings } from "../studies/ratings";
import { studyTexts } from "../studies/texts";
import { ClassificationField, ReasonField } from "./fields";
import { type Report, useReport } from "./report";
import { OwnFiles } from "./own_files";
import { Files } from "./reader";
import { Retrieval, retrievalOf } from "./retrieval";
import { reportTexts as say } from "./texts";
import "../screen/screen.css";
import "../conflicts/conflicts.css";

/** One report: its files to read, its retrieval, the criteria and one's own decision. */
export function OneReport({ review, id }: { review: Review; id: string }) {
  const found = useReport(review.id, id);
  const marks = useMarks(review);
  const report = found.data;
  useTitle(report?.title ?? say.title);
  const isOpen = review.archived_at === null && review.role !== "observer";
  return (
    <Shell review={review} wide>
      <Link class="small" href={`/r/${review.id}/reports`}>
        ← {say.back}
      </Link>
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {report && (
        <div class="report">
          <article class="article full-text" lang={languageCode(report.language)}>
            <h1 class="article-title">{report.title}</h1>
            <Byline record={report} />
            <p>
              <StandingChip report={report} />
            </p>
            <p class="small">
              <Link href={`/r/${review.id}/records/${report.id}`}>{say.record(report.id)}</Link>{" "}
              <Elsewhere record={report} />
            </p>
            <details open={report.texts.length === 0}>
              <summary>{say.abstract}</summary>
              <Abstract record={report} marks={marks} />
            </details>
            <Files review={review} files={report.texts} />
          </article>
          <div class="stack">
            <section class="card stack">
              <h2>{say.retrieval}</h2>
              <p class="soft">{retrievalOf(report)}</p>
              {report.retrieval?.note && <p class="quote">{report.retrieval.note}</p>}
              {isOpen && (
                <details open={report.retrieval === null || report.retrieval.at === null}>
                  <summary>{say.changeRetrieval}</summary>
                  <Retrieval key={report.retrieval?.at ?? ""} review={review} report={report} />
                </details>
              )}
            </section>
            {isOpen && <OwnFiles review={review} report={report} />}
            {isOpen && mayDecide(report) && (
              <Decide key={report.my_decision?.id ?? "none"} review={review} report={report} />
            )}
            {isOpen && mayDecide(report) && (
              <details class="card">
                <summary>{studyTexts.ratings}</summary>
                <Ratings review={review.id} report={report.id} />
              </details>
            )}
            <details class="card">
              <summary>{texts.screen.criteria}</summary>
              <Criteria review={review} />
            </details>
          </div>
        </div>
      )}
    </Shell>
  );
}

/** Where a report stands, and why, as far as the person may know. */
export function StandingChip({ report }: { report: Report }) {
  return (
    <>
      <span class={`chip standing ${report.standing}`}>{say.standings[report.standing]}</span>
      {report.final_reason && <span class="small soft"> {report.final_reason}</span>}
    </>
  );
}

/** Without its text a report is not decided; a decision that was made can be looked at and changed. */
function mayDecide(report: Report): boolean {
  return report.my_decision !== null || report.retrieval?.state === "retrieved";
}

function Decide({ review, report }: { review: Review; report: Report }) {
  const mine = report.my_decision;
  const [verdict, setVerdict] = useState<Schemas["Verdict"] | null>(mine?.verdict ?? null);
  const path = { review_id: review.id, record_id: report.id };
  const done = () => outdated(review.id);
  const save = useMutation({
    mutationFn: (body: Schemas["DecisionIn"]) =>
      data(api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/decision", { params: { path }, body })),
    onSuccess: done,
  });
  const withdraw = useMutation({
    mutationFn: (basis: string) =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/records/{record_id}/decision", {
          params: { path, query: { stage: "full_text", basis } },
        }),
      ),
    onSuccess: done,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (verdict === null) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    const reason = verdict === "exclude" ? text("reason") : null;
    save.mutate({
      verdict,
      reasons: reason === null ? [] : [reason],
      classification: verdict === "exclude" ? null : (text("classification") as Schemas["Classification"] | null),
      note: text("note"),
      labels: mine?.labels ?? [],
      stage: "full_text",
      basis: mine?.id ?? null,
      criteria_version: review.criteria_version,
    });
  };
  return (
    <form class="card form" onSubmit={submit} aria-label={say.decide}>
      <h2>{say.decide}</h2>
      {mine && (
        <p>
          {say.mine} <VerdictMark verdict={mine.verdict} word={texts.decided[mine.verdict]} />
          {mine.reasons.length > 0 && <span class="soft"> · {mine.reasons.join(" · ")}</span>}
          {mine.classification && <span class="soft"> · {texts.screen.including.names[mine.classification]}</span>}
        </p>
      )}
      <VerdictChoice legend={say.verdict} verdicts={["exclude", "maybe", "include"]} value={verdict} change={setVerdict} />
      {verdict === "exclude" && <ReasonField review={review} chosen={mine?.reasons[0]} />}
      {verdict !== null && verdict !== "exclude" && <ClassificationField chosen={mine?.classification ?? null} />}
      <Field label={say.decideNote}>
        {(ids) => <textarea {...ids} name="note" rows={2} maxLength={10_000} defaultValue={mine?.note ?? ""} />}
      </Field>
      {(save.error || withdraw.error) && <Problem error={save.error ?? withdraw.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={verdict === null || save.isPending}>
          {say.save}
        </Button>
        {mine && (
          <Button disabled={withdraw.isPending} onClick={() => withdraw.mutate(mine.id)}>
            {say.withdraw}
          </Button>
        )}
        <span role="status">{save.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}
