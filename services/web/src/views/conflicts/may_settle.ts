import type { Schemas } from "../../api/client";
import type { Review } from "../../api/queries";

type Of = Pick<Schemas["ConflictOut"], "stage" | "decisions">;

/** Whether somebody may settle a conflict, or open it again; `own`: they decided the record themselves. */
export function maySettle(review: Pick<Review, "role" | "policy">, conflict: Of): "yes" | "own" | "no" {
  if (conflict.decisions.some((one) => one.mine)) {
    return review.policy[conflict.stage].voter_may_adjudicate ? "yes" : "own";
  }
  return review.role === "owner" || review.role === "adjudicator" ? "yes" : "no";
}
