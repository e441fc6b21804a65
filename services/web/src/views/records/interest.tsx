import { useMutation } from "@tanstack/preact-query";
import { api, data } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { Button, Problem } from "../../ui/parts";
import { recordTexts as say } from "./texts";

/** Lets somebody say that a record is their own paper: then it is not given to them to screen. */
export function DeclareInterest({ review, id }: { review: Review; id: string }) {
  const declare = useMutation({
    mutationFn: () =>
      data(
        api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/interest", {
          params: { path: { review_id: review.id, record_id: id } },
          body: { has_interest: true },
        }),
      ),
    onSuccess: () => outdated(review.id, "interests"),
  });
  if (review.role === "observer" || review.archived_at !== null) return null;
  return (
    <div class="stack">
      <div class="actions">
        <Button disabled={declare.isPending || declare.isSuccess} onClick={() => declare.mutate()}>
          {say.author}
        </Button>
        <span role="status">{declare.isSuccess && say.authorDone}</span>
      </div>
      {declare.error && <Problem error={declare.error} />}
    </div>
  );
}
