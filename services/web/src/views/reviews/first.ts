/** Where somebody begins in a review of theirs. */
import type { Schemas } from "../../api/client";

type Role = Schemas["Role"];

interface Standing {
  role: Role;
  n_records: number;
  n_decided_by_me: number;
  /** Records that they can still screen; null where they never screen. */
  left: number | null;
  /** Open conflicts, as far as they may know. */
  conflicts: number | null;
}

/**
 * Whether somebody is here to settle and has screened nothing: what they screen, others must settle,
 * so nothing invites them to.
 */
export const onlySettles = (role: Role, decided: number): boolean => role === "adjudicator" && decided === 0;

export function firstView({ role, n_records, n_decided_by_me, left, conflicts }: Standing): "conflicts" | "screen" | "import" | "progress" {
  if (role === "adjudicator" && conflicts) return "conflicts";
  if (left && !onlySettles(role, n_decided_by_me)) return "screen";
  return n_records === 0 && role === "owner" ? "import" : "progress";
}
