/** What the list of records is narrowed to, as its address says it. */
import type { Schemas } from "../../api/client";
import type { Review, Stage } from "../../api/queries";
import type { recordTexts } from "./texts";

export const FILTERS = ["q", "status", "stage", "order", "source", "label", "mine", "from", "to", "abstract"] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

/** Those that most lists do without; they stand behind “More filters”. */
export const RARE = ["source", "label", "mine", "from", "to", "abstract"] as const;

export type Status = Schemas["ShownStatus"];
export type Order = keyof typeof recordTexts.orders;

const ORDERS: Order[] = ["rank", "added", "year"];
const VERDICTS: Schemas["Verdict"][] = ["include", "exclude", "maybe"];

/** What a person may ask for: blinded people know of "done" only. */
export function statusesFor(review: Pick<Review, "role" | "policy">, stage: Stage): Status[] {
  const seesAll = review.role === "owner" || review.role === "adjudicator" || !review.policy[stage].blind;
  return seesAll ? ["unscreened", "awaiting", "conflict", "included", "excluded"] : ["unscreened", "done"];
}

/** What the API is asked for. What an address says that nobody can choose is left out. */
export function asked(review: Pick<Review, "role" | "policy">, filters: Filters) {
  const stage: Stage = filters.stage === "full_text" ? "full_text" : "title_abstract";
  const one = <T extends string>(options: readonly T[], now: string | undefined) => options.find((option) => option === now);
  const { q, source, label } = filters;
  const status = one(statusesFor(review, stage), filters.status);
  const my_verdict = one(VERDICTS, filters.mine);
  const [year_from, year_to] = [year(filters.from), year(filters.to)];
  const abstract = one(["true", "false"], filters.abstract);
  return {
    stage,
    order: one(ORDERS, filters.order) ?? "rank",
    ...(q ? { q } : {}),
    ...(source ? { source } : {}),
    ...(label ? { label } : {}),
    ...(status ? { status } : {}),
    ...(my_verdict ? { my_verdict } : {}),
    ...(year_from === null ? {} : { year_from }),
    ...(year_to === null ? {} : { year_to }),
    ...(abstract ? { has_abstract: abstract === "true" } : {}),
  };
}

/** A year that is wholly typed; null of what is none yet. */
function year(typed: string | undefined): number | null {
  return typed !== undefined && /^[0-9]{4}$/.test(typed) ? Number(typed) : null;
}
