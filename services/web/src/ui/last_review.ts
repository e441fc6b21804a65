/** Reviews as they were seen last, for screening without a connection. */
import type { Review } from "../api/queries";

const key = (id: string) => `tandem.review.${id}`;

export function keptReview(id: string): Review | null {
  try {
    return JSON.parse(localStorage.getItem(key(id)) ?? "null") as Review | null;
  } catch {
    return null;
  }
}

export function keepReview(review: Review): void {
  try {
    localStorage.setItem(key(review.id), JSON.stringify(review));
  } catch {
    // Full, or switched off: then it cannot be opened without a connection.
  }
}
