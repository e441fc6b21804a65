import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import type { Verdict } from "../../outbox/entries";
import { Button, Field, Problem } from "../../ui/parts";
import { usePerson } from "../../ui/context";
import type { Conflict } from "./conflicts";
import { conflictTexts as say } from "./texts";
import { VerdictChoice } from "./verdict_choice";

type Body = Schemas["SecondVoteIn"];

/** Under consensus: those who decided vote once more, until they agree. */
export function SecondVote({ conflict, review, done }: { conflict: Conflict; review: Review; done: () => void }) {
  const { me } = usePerson();
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const vote = useMutation({
    mutationFn: (body: Body) =>
      data(
        api.POST("/api/v1/reviews/{review_id}/conflicts/{conflict_id}/vote", {
          params: { path: { review_id: review.id, conflict_id: conflict.id } },
          body,
        }),
      ),
    onSuccess: done,
  });
  const isVoter = conflict.decisions.some((one) => one.mine);
  if (!isVoter) return <p class="notice">{say.needs.voters}</p>;
  const hasVoted = conflict.second_votes.includes(me.id);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (verdict === null) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || null;
    const reason = verdict === "exclude" ? text("reason") : null;
    vote.mutate({ verdict, reasons: reason === null ? [] : [reason], note: text("note") });
  };
  return (
    <form class="card form" onSubmit={submit} aria-label={say.vote}>
      <h2>{say.vote}</h2>
      <p class="soft small">{hasVoted ? say.voteDone : say.voteMore}</p>
      <VerdictChoice legend={say.verdict} verdicts={["include", "exclude"]} value={verdict as "include" | null} change={setVerdict} />
      {verdict === "exclude" && review.exclusion_reasons.length > 0 && (
        <Field label={say.reason}>
          {(ids) => (
            <select {...ids} name="reason">
              <option value="">{say.noReason}</option>
              {review.exclusion_reasons.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={say.note}>{(ids) => <textarea {...ids} name="note" rows={2} maxLength={10_000} />}</Field>
      {vote.error && <Problem error={vote.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={verdict === null || vote.isPending}>
          {say.voteButton}
        </Button>
      </div>
    </form>
  );
}
