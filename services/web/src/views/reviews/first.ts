/** Where somebody begins in a review of theirs. */
import type { Schemas } from "../../api/client";
import type { Entry, Stage } from "../../outbox/entries";

type Role = Schemas["Role"];

interface Standing {
  role: Role;
  n_records: number;
  n_decided_by_me: number;
  /** Records that they can still screen; null where they never screen. */
  left: number | null;
  /** Full texts that they can still assess. */
  atFullText: number;
  /** Open conflicts, as far as they may know. */
  conflicts: number | null;
}

/**
 * Whether somebody is here to settle and has screened nothing: what they screen, others must settle,
 * so nothing invites them to.
 */
export const onlySettles = (role: Role, decided: number): boolean => role === "adjudicator" && decided === 0;

type First = "conflicts" | "screen" | "reports/screen" | "import" | "progress";

export function firstView({ role, n_records, n_decided_by_me, left, atFullText, conflicts }: Standing): First {
  if (role === "adjudicator" && conflicts) return "conflicts";
  if (!onlySettles(role, n_decided_by_me)) {
    if (left) return "screen";
    if (atFullText > 0) return "reports/screen";
  }
  return n_records === 0 && role === "owner" ? "import" : "progress";
}

/** What somebody has decided here and has not sent, by stage. */
export function unsentOf(entries: readonly Entry[], review: string): Record<Stage, number> {
  const n = { title_abstract: 0, full_text: 0 };
  for (const one of entries) if (one.review === review && one.kind === "decide") n[one.stage] += 1;
  return n;
}
