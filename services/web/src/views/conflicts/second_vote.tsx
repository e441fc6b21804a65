import { useMutation } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { usePerson } from "../../ui/context";
import type { Conflict } from "./conflicts";
import { conflictTexts as say } from "./texts";
import { VerdictForm } from "./verdict_form";

/** Under consensus: those who decided vote once more, until they agree. */
export function SecondVote({ conflict, review, done }: { conflict: Conflict; review: Review; done: () => void }) {
  const { me } = usePerson();
  const vote = useMutation({
    mutationFn: (body: Schemas["SecondVoteIn"]) =>
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
  return (
    <VerdictForm
      title={say.vote}
      hint={conflict.second_votes.includes(me.id) ? say.voteDone : say.voteMore}
      review={review}
      stage={conflict.stage}
      work={vote}
      does={say.voteButton}
      send={({ verdict, reasons, note, classification }) =>
        vote.mutate({ verdict, reasons, note, classification, criteria_version: review.criteria_version })
      }
    />
  );
}
