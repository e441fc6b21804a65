import { useMutation, useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { api, data } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { isWriting } from "../../keys/keys";
import { ago } from "../../texts/format";
import { texts } from "../../texts/en";
import { languageCode } from "../../texts/language";
import { withQuery } from "../../ui/filters";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Button, Field, Loading, Problem } from "../../ui/parts";
import { Abstract, Byline, Marked, useMarks } from "../screen/article";
import { Criteria } from "../screen/criteria";
import type { Conflict } from "./conflicts";
import { useReport } from "../reports/report";
import { Files } from "../reports/reader";
import { reportTexts } from "../reports/texts";
import "../reports/reports.css";
import { maySettle } from "./may_settle";
import { Settle } from "./settle";
import { Talk } from "./talk";
import { conflictTexts as say } from "./texts";
import { SecondVote } from "./second_vote";

interface Props {
  review: Review;
  id: string;
  among: Conflict[];
  /** The one that was settled just now, before this. */
  last: Conflict | null;
  settled: (conflict: Conflict) => void;
}

/** One conflict: the record, what each decided, the talk, and the way to settle it. */
export function OneConflict({ review, id, among, last, settled }: Props) {
  const path = { review_id: review.id, conflict_id: id };
  const found = useQuery({
    queryKey: ["review", review.id, "conflict", id],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/conflicts/{conflict_id}", { params: { path } })),
  });
  const [, go] = useLocation();
  const at = among.findIndex((one) => one.id === id);
  const to = (step: number) => among[at + step]?.id;
  const search = useSearch();
  const link = (to: string | undefined) =>
    to === undefined ? null : withQuery(`/r/${review.id}/conflicts/${to}`, search);
  const [previous, next] = at < 0 ? [null, link(among[0]?.id)] : [link(to(-1)), link(to(1))];
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isWriting(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "j" && next) go(next);
      if (event.key === "k" && previous) go(previous);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [next, previous]);
  const conflict = found.data;
  return (
    <Shell review={review} wide>
      <div class="head">
        <Link class="small" href={withQuery(`/r/${review.id}/conflicts`, search)}>
          ← {say.back}
        </Link>
        <span class="actions">
          {at >= 0 && <span class="small soft">{say.of(at + 1, `${among.length}`)}</span>}
          <Step href={previous} name={say.previous} sign="◂" />
          <Step href={next} name={say.next} sign="▸" />
        </span>
      </div>
      {last !== null && last.id !== id && (
        <p class="notice good" role="status">
          {say.settledBefore} <Link href={withQuery(`/r/${review.id}/conflicts/${last.id}`, search)}>{last.record.title}</Link>
        </p>
      )}
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {conflict && <Whole conflict={conflict} review={review} next={next} settled={settled} />}
    </Shell>
  );
}

function Step({ href, name, sign }: { href: string | null; name: string; sign: string }) {
  if (href === null) return null;
  return (
    <Link class="button quiet" href={href} aria-label={name}>
      <span aria-hidden="true">{sign}</span>
    </Link>
  );
}

interface WholeProps extends Pick<Props, "review" | "settled"> {
  conflict: Conflict;
  next: string | null;
}

function Whole({ conflict, review, next, settled }: WholeProps) {
  const marks = useMarks(review);
  const [, go] = useLocation();
  const { record } = conflict;
  const done = (isSettled: boolean) => {
    if (isSettled) settled(conflict);
    outdated(review.id);
    if (next !== null) go(next);
  };
  return (
    <div class="conflict">
      <article class="article" lang={languageCode(record.language)}>
        <h1 class="article-title">
          <Marked text={record.title} marks={marks} />
        </h1>
        <Byline record={record} />
        {conflict.stage === "full_text" ? (
          <AtFullText review={review} conflict={conflict} />
        ) : (
          <Abstract record={record} marks={marks} />
        )}
      </article>
      <aside class="conflict-side" aria-label={texts.screen.criteria}>
        <Criteria review={review} />
      </aside>
      <div class="conflict-main stack">
        <Votes conflict={conflict} />
        <Talk review={review.id} conflict={conflict.id} />
        <Way conflict={conflict} review={review} done={done} />
      </div>
    </div>
  );
}

/** The full text that the reviewers differ in, and its abstract. */
function AtFullText({ review, conflict }: { review: Review; conflict: Conflict }) {
  const marks = useMarks(review);
  const [isOpen, open] = useState(false);
  const found = useReport(review.id, conflict.record.id);
  return (
    <>
      <p class="small">
        <span class="chip">{texts.stages.full_text}</span>{" "}
        <Link href={`/r/${review.id}/reports/${conflict.record.id}`}>{say.report}</Link>
      </p>
      <details>
        <summary>{reportTexts.abstract}</summary>
        <Abstract record={conflict.record} marks={marks} />
      </details>
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.data && found.data.texts.length > 0 && (
        <details open={isOpen} onToggle={(event) => open(event.currentTarget.open)}>
          <summary>{say.readIt}</summary>
          {isOpen && <Files review={review} files={found.data.texts} />}
        </details>
      )}
    </>
  );
}

function Votes({ conflict }: { conflict: Conflict }) {
  return (
    <section class="stack">
      <h2>{say.votes}</h2>
      {conflict.decisions.length === 0 && <p class="soft">{say.noVotes}</p>}
      <ul class="plainlist votes">
        {conflict.decisions.map((vote) => (
          <li key={vote.letter} class={`card vote ${vote.verdict}`}>
            <p class="small soft">
              {vote.reviewer_id === null ? say.voter(vote.letter) : vote.reviewer}
              {vote.mine && ` (${say.mine})`}
            </p>
            <VerdictMark verdict={vote.verdict} word={texts.verdicts[vote.verdict]} />
            {vote.reasons.length > 0 && <p class="small">{vote.reasons.join(" · ")}</p>}
            {vote.classification && <p class="small">{texts.screen.including.names[vote.classification]}</p>}
            {vote.note && <p class="quote">{vote.note}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Way({ conflict, review, done }: { conflict: Conflict; review: Review; done: (isSettled: boolean) => void }) {
  const may = maySettle(review, conflict);
  if (review.archived_at !== null) return null;
  if (conflict.state === "resolved") return <Settled conflict={conflict} review={review} mayReopen={may === "yes"} />;
  if (conflict.needs === "voters") return <SecondVote conflict={conflict} review={review} done={() => done(false)} />;
  if (may === "yes") return <Settle conflict={conflict} review={review} done={() => done(true)} />;
  return <p class="notice">{may === "own" ? say.ownDecision : say.notYours}</p>;
}

function Settled({ conflict, review, mayReopen }: { conflict: Conflict; review: Review; mayReopen: boolean }) {
  const { resolution } = conflict;
  const reopen = useMutation({
    mutationFn: (note: string) =>
      data(
        api.POST("/api/v1/reviews/{review_id}/conflicts/{conflict_id}/reopen", {
          params: { path: { review_id: review.id, conflict_id: conflict.id } },
          body: { note: note || null },
        }),
      ),
    onSuccess: () => outdated(review.id),
  });
  const [isOpen, open] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    reopen.mutate(String(new FormData(event.target as HTMLFormElement).get("note")).trim());
  };
  return (
    <section class="notice good">
      {resolution ? (
        <>
          <p>{say.settled(resolution.resolver_name ?? "", ago(resolution.resolved_at))}</p>
          <VerdictMark verdict={resolution.verdict} word={texts.decided[resolution.verdict]} />
          {resolution.reasons.length > 0 && <p>{resolution.reasons.join(" · ")}</p>}
          {resolution.cause && <p class="soft">{say.causes[resolution.cause]}</p>}
          {resolution.note && <p class="quote">{resolution.note}</p>}
        </>
      ) : (
        <p>{conflict.resolved_by ? say.settledBy[conflict.resolved_by] : say.resolved}</p>
      )}
      {mayReopen && resolution && !isOpen && <Button onClick={() => open(true)}>{say.reopen}</Button>}
      {isOpen && (
        <form class="form" onSubmit={submit}>
          <Field label={say.reopenNote}>{(ids) => <textarea {...ids} name="note" rows={2} />}</Field>
          <div class="actions">
            <Button type="submit" disabled={reopen.isPending}>
              {say.reopenConfirm}
            </Button>
            <Button kind="quiet" onClick={() => open(false)}>
              {texts.cancel}
            </Button>
          </div>
        </form>
      )}
      {reopen.error && <Problem error={reopen.error} />}
    </section>
  );
}
