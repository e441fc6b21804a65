import { useMutation } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review, useWaiting } from "../../api/queries";
import type { Verdict } from "../../outbox/entries";
import { ago } from "../../texts/format";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import { Tabs } from "../../ui/tabs";
import { VerdictChoice } from "../conflicts/verdict_choice";
import { about } from "../records/records";
import { recordTexts } from "../records/texts";
import { ClassificationField, ReasonField } from "../reports/fields";
import type { ViewProps } from "../review";
import { Abstract, useMarks } from "../screen/article";
import "../screen/screen.css";
import "../conflicts/conflicts.css";
import "../records/records.css";

type Listing = Schemas["ListedRecordOut"];
type Filter = Verdict | "all";
type Stage = Schemas["Stage"];
const say = recordTexts.mine;

/** What I have decided, the last first; each can be changed. */
export function Mine({ review }: ViewProps) {
  useTitle(say.title);
  const { outbox } = usePerson();
  const [filter, setFilter] = useState<Filter>("all");
  const [stage, setStage] = useState<Stage>("title_abstract");
  const [changing, change] = useState<Listing | null>(null);
  const [isAffected, showAffected] = useState(false);
  const waiting = useWaiting(review.id).data;
  useEffect(() => {
    if (outbox.entries.length > 0) void outbox.flush().then(() => outdated(review.id, "mine"));
  }, [outbox, review.id]);
  const { query, items } = usePages(["review", review.id, "mine", stage, filter], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/records", {
        params: {
          path: { review_id: review.id },
          query: { stage, order: "decided", limit: 50, ...(filter === "all" ? {} : { my_verdict: filter }), ...cursor },
        },
      }),
    ),
  );
  if (isAffected) return <Affected review={review} back={() => showAffected(false)} />;
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {waiting?.second_looks ? (
        <div class="notice warn">
          <p>
            <strong>{say.affected(waiting.second_looks)}</strong>
          </p>
          <p>{say.affectedMore}</p>
          <Button onClick={() => showAffected(true)}>{say.show}</Button>
        </div>
      ) : null}
      <div class="inline-form">
      <Tabs<Filter>
        label={say.title}
        value={filter}
        options={[
          ["all", say.all],
          ["include", texts.decided.include],
          ["exclude", texts.decided.exclude],
          ["maybe", texts.decided.maybe],
        ]}
        change={setFilter}
      />
      <StageField<Stage> stage={stage} change={setStage} />
      </div>
      <Listed query={query} n={items.length} empty={say.noneIn[stage]} emptyMore={<p>{say.noneMore}</p>}>
        <ul class="plainlist rows">
          {items.map((record) => (
            <Row key={record.id} record={record} change={() => change(record)} />
          ))}
        </ul>
      </Listed>
      {changing && <Change key={changing.id} record={changing} review={review} stage={stage} close={() => change(null)} />}
    </Shell>
  );
}

function Row({ record, change }: { record: Listing; change: () => void }) {
  const mine = record.my_decision;
  if (mine === null) return null;
  return (
    <li class="row record-row">
      <span>
        <VerdictMark verdict={mine.verdict} word={texts.decided[mine.verdict]} />
        {mine.reasons.length > 0 && <span class="small"> · {mine.reasons.join(" · ")}</span>}
        <br />
        <strong>{record.title}</strong>
        <br />
        <span class="soft small">
          {about(record)} · {say.decided(ago(mine.decided_at))}
          {mine.classification && ` · ${texts.screen.including.names[mine.classification]}`}
        </span>
        {mine.note && <p class="quote">{mine.note}</p>}
      </span>
      <Button onClick={change} aria-label={`${say.change}: ${record.title}`}>
        {say.change}
      </Button>
    </li>
  );
}

interface ChangeProps {
  record: Listing;
  review: Review;
  stage: Stage;
  close: () => void;
}

/** Another verdict, or none: on the basis of the one that is shown here. */
function Change({ record, review, stage, close }: ChangeProps) {
  const mine = record.my_decision;
  const marks = useMarks(review);
  const [verdict, setVerdict] = useState<Verdict>(mine?.verdict ?? "maybe");
  const path = { review_id: review.id, record_id: record.id };
  const basis = mine?.id ?? null;
  const done = () => {
    outdated(review.id);
    close();
  };
  const save = useMutation({
    mutationFn: (body: Schemas["DecisionIn"]) =>
      data(api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/decision", { params: { path }, body })),
    onSuccess: done,
  });
  const withdraw = useMutation({
    mutationFn: () =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/records/{record_id}/decision", {
          params: { path, query: { stage, ...(basis === null ? {} : { basis }) } },
        }),
      ),
    onSuccess: done,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const reason = String(form.get("reason") ?? "");
    const note = String(form.get("note") ?? "").trim() || null;
    const reasons = verdict === "exclude" && reason !== "" ? [reason] : [];
    const classification = verdict === "exclude" ? null : (String(form.get("classification") ?? "") || null);
    save.mutate({
      verdict,
      reasons,
      labels: mine?.labels ?? [],
      note,
      basis,
      stage,
      classification: classification as Schemas["Classification"] | null,
    });
  };
  const reasons = [...new Set([...review.exclusion_reasons, ...(mine?.reasons ?? [])])];
  return (
    <Dialog title={say.changeTitle} close={close}>
      <h3>{record.title}</h3>
      <details>
        <summary>{recordTexts.fields.abstract}</summary>
        <Abstract record={{ ...record, abstract: record.abstract ?? "" }} marks={marks} />
      </details>
      <form class="form" onSubmit={submit}>
        <VerdictChoice<Verdict>
          legend={recordTexts.myDecision}
          verdicts={["exclude", "maybe", "include"]}
          value={verdict}
          change={setVerdict}
        />
        {stage === "full_text" && verdict === "exclude" && <ReasonField review={review} chosen={mine?.reasons[0]} />}
        {stage === "full_text" && verdict !== "exclude" && <ClassificationField chosen={mine?.classification ?? null} />}
        {stage === "title_abstract" && verdict === "exclude" && reasons.length > 0 && (
          <Field label={texts.screen.reason}>
            {(ids) => (
              <select {...ids} name="reason" defaultValue={mine?.reasons[0] ?? ""}>
                <option value="">{texts.screen.noReason}</option>
                {reasons.map((one) => (
                  <option key={one} selected={one === mine?.reasons[0]}>
                    {one}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label={texts.screen.note}>
          {(ids) => <textarea {...ids} name="note" rows={2} defaultValue={mine?.note ?? ""} />}
        </Field>
        {(save.error || withdraw.error) && <Problem error={save.error ?? withdraw.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button kind="danger" disabled={withdraw.isPending} onClick={() => withdraw.mutate()}>
            {say.withdraw}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Decisions that a change of the criteria may concern. */
function Affected({ review, back }: { review: Review; back: () => void }) {
  const { query, items, first } = usePages(["review", review.id, "mine", "affected"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/criteria/affected", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  const [changing, change] = useState<Schemas["AffectedOut"] | null>(null);
  const confirm = useMutation({
    mutationFn: (record_id: string) =>
      data(
        api.POST("/api/v1/reviews/{review_id}/records/{record_id}/decision/confirm", {
          params: { path: { review_id: review.id, record_id } },
        }),
      ),
    onSuccess: () => outdated(review.id),
  });
  return (
    <Shell review={review}>
      <div class="head">
        <h1>{say.affected(first?.n ?? 0)}</h1>
        <Button onClick={back}>{say.back}</Button>
      </div>
      {first?.explanation && <p class="notice">{first.explanation}</p>}
      {confirm.error && <Problem error={confirm.error} />}
      <Listed query={query} n={items.length} empty={say.left(0)}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <li key={one.record.id} class="row">
              <span>
                <VerdictMark verdict={one.decision.verdict} word={texts.decided[one.decision.verdict]} />
                <br />
                <strong>{one.record.title}</strong>
                {one.why.flatMap((why) => why.criteria).length > 0 && (
                  <p class="small soft">{one.why.flatMap((why) => why.criteria).join(" · ")}</p>
                )}
              </span>
              <span class="actions">
                <Button onClick={() => confirm.mutate(one.record.id)}>{say.confirm}</Button>
                <Button onClick={() => change(one)}>{say.change}</Button>
              </span>
            </li>
          ))}
        </ul>
      </Listed>
      {changing && (
        <Change
          record={{ ...(changing.record as Listing), my_decision: changing.decision }}
          review={review}
          stage={changing.decision.stage}
          close={() => change(null)}
        />
      )}
    </Shell>
  );
}
