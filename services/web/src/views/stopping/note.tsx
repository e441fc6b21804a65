import { useQuery } from "@tanstack/preact-query";
import { api, data } from "../../api/client";
import { texts } from "../../texts/en";
import { isWhole, STAGE } from "./queries";

/** While somebody screens: that records come in random order, or that the team has shown its recall. */
export function StoppingNote({ review }: { review: string }) {
  const found = useQuery({
    // Not with the panel's figures: only an audit's beginning and end change this.
    queryKey: ["review", review, "stopping_note"],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/stopping", {
          params: { path: { review_id: review }, query: { stage: STAGE } },
        }),
      ),
    staleTime: 60_000,
    retry: false,
  }).data;
  if (found === undefined) return null;
  const note = isWhole(found) ? (found.audit?.serving === "draws_only" ? texts.screen.randomOrder : null) : found.note;
  return note === null ? null : (
    <p class="notice" role="status">
      {note}
    </p>
  );
}
