import { Link } from "wouter-preact";
import { type Review, type Stage, useAffected } from "../../api/queries";
import { texts } from "../../texts/en";

/** While somebody screens: that decisions of theirs were made under other criteria. */
export function CriteriaNote({ review, stage }: { review: Review; stage: Stage }) {
  const n = useAffected(review)?.[stage] ?? 0;
  if (n === 0) return null;
  return (
    <p class="notice warn" role="status">
      {texts.screen.criteriaChanged(n)} <Link href={`/r/${review.id}/mine/again/${stage}`}>{texts.screen.lookAtThem}</Link>
    </p>
  );
}
