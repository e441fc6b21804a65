import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { ago } from "../../texts/format";
import { texts } from "../../texts/en";
import { useTitle } from "../../ui/hooks";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Button, Field, Loading, Problem } from "../../ui/parts";
import { VerdictChoice } from "../conflicts/verdict_choice";
import { Criteria } from "../screen/criteria";
import { Abstract, Byline, Elsewhere, useMarks } from "../screen/article";
import { Files } from "./files";
import { reportTexts as say } from "./texts";

export type Report = Schemas["ReportOut"];
interface Props {
  review: Review;
  report: Report;
}

/** One report: its files, its retrieval, the criteria and one's own decision. */
export function OneReport({ review, id }: { review: Review; id: string }) {
  useTitle(say.title);
  const path = { review_id: review.id, report_id: id };
  const found = useQuery({
    queryKey: ["review", review.id, "reports", "one", id],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/reports/{report_id}", { params: { path } })),
  });
  const marks = useMarks(review);
  const report = found.data;
  const isOpen = review.archived_at === null && review.role !== "observer";
  return (
    <Shell review={review}>
      <Link class="small" href={`/r/${review.id}/reports`}>
        ← {say.back}
      </Link>
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {report && (
        <>
          <article class="article" lang={report.language ?? undefined}>
            <h1 class="article-title">{report.title}</h1>
            <p>
              <span class="chip">{say.standings[report.standing]}</span>
            </p>
            <Byline record={report} />
            <p class="small">
              <Elsewhere record={report} />
            </p>
            <details>
              <summary>{texts.screen.criteria}</summary>
              <Criteria review={review} exclude={() => undefined} />
            </details>
            {report.texts.length === 0 && <Abstract record={report} marks={marks} />}
          </article>
          <Files review={review} report={report} />
          {isOpen && <Retrieval review={review} report={report} />}
          {isOpen && <Decide key={report.my_decision?.id ?? "none"} review={review} report={report} />}
        </>
      )}
    </Shell>
  );
}

function Retrieval({ review, report }: Props) {
  const path = { review_id: review.id, report_id: report.id };
  const save = useMutation({
    mutationFn: (body: Schemas["RetrievalIn"]) =>
      data(api.POST("/api/v1/reviews/{review_id}/reports/{report_id}/retrieval", { params: { path }, body })),
    onSuccess: () => outdated(review.id, "reports"),
  });
  const now = report.retrieval;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    save.mutate({
      state: text("state") as Schemas["RetrievalState"],
      via: text("via") as Schemas["Via"] | null,
      note: text("note"),
    });
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.retrieval}</h2>
      <p class="soft">{now ? say.by(say.retrievals[now.state], ago(now.at)) : say.nothingSaid}</p>
      {now?.note && <p class="quote">{now.note}</p>}
      <div class="inline-form">
        <Choice label={say.setState} name="state" now={now?.state ?? "sought"} options={say.retrievals} />
        <Choice label={say.via} name="via" now={now?.via ?? ""} options={{ "": texts.none, ...say.vias }} />
      </div>
      <Field label={say.note}>{(ids) => <input {...ids} name="note" maxLength={2000} />}</Field>
      {save.error && <Problem error={save.error} />}
      <div class="actions">
        <Button type="submit" disabled={save.isPending}>
          {say.saveRetrieval}
        </Button>
        <span role="status">{save.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}

function Choice(props: { label: string; name: string; now: string; options: Record<string, string> }) {
  return (
    <Field label={props.label}>
      {(ids) => (
        <select {...ids} name={props.name} defaultValue={props.now}>
          {Object.entries(props.options).map(([one, shown]) => (
            <option key={one} value={one} selected={one === props.now}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Decide({ review, report }: Props) {
  const mine = report.my_decision;
  const [verdict, setVerdict] = useState<Schemas["Verdict"] | null>(mine?.verdict ?? null);
  const path = { review_id: review.id, record_id: report.id };
  const save = useMutation({
    mutationFn: (body: Schemas["DecisionIn"]) =>
      data(api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/decision", { params: { path }, body })),
    onSuccess: () => outdated(review.id),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (verdict === null) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    const reason = verdict === "exclude" ? text("reason") : null;
    const reasons = reason === null ? [] : [reason];
    save.mutate({ verdict, reasons, note: text("note"), labels: mine?.labels ?? [], stage: "full_text", basis: mine?.id ?? null });
  };
  return (
    <form class="card form" onSubmit={submit} aria-label={say.decide}>
      <h2>{say.decide}</h2>
      {mine && (
        <p>
          {say.mine} <VerdictMark verdict={mine.verdict} word={texts.decided[mine.verdict]} />
          {mine.reasons.length > 0 && <span class="soft"> · {mine.reasons.join(" · ")}</span>}
        </p>
      )}
      <VerdictChoice legend={say.verdict} verdicts={["exclude", "maybe", "include"]} value={verdict} change={setVerdict} />
      {verdict === "exclude" && (
        <Field label={say.reason}>
          {(ids) => (
            <select {...ids} name="reason" required>
              <option value="">{say.noReason}</option>
              {review.exclusion_reasons.map((one) => (
                <option key={one} selected={mine?.reasons[0] === one}>
                  {one}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={say.decideNote}>
        {(ids) => <textarea {...ids} name="note" rows={2} maxLength={10_000} defaultValue={mine?.note ?? ""} />}
      </Field>
      {save.error && <Problem error={save.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={verdict === null || save.isPending}>
          {say.save}
        </Button>
        <span role="status">{save.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}
