/** One request of the outbox, and what its answer means for the entry. */
import { api, asProblem, newKey, type Schemas, USER_HEADER } from "../api/client";
import type { Problem } from "../api/problem";
import type { Entry } from "./entries";

export type Outcome =
  | { kind: "arrived"; decision: string | null; remaining: number | null }
  /** No answer, or a server in trouble: the same again, later. */
  | { kind: "wait"; seconds: number | null }
  | { kind: "signed_out" }
  /** The same once more at once, changed as `entry` says. */
  | { kind: "changed"; entry: Entry }
  | { kind: "refused"; problem: Problem };

/** Sends one entry. `keepalive` lets it outlive the tab. */
export async function send(entry: Entry, keepalive = false): Promise<Outcome> {
  const params = { path: { review_id: entry.review, record_id: entry.record } };
  const headers = { "Idempotency-Key": entry.key, [USER_HEADER]: entry.user };
  const how = { headers, keepalive, fetch: (request: Request) => fetch(request) };
  try {
    if (entry.kind === "later") {
      const answer = await api.DELETE("/api/v1/reviews/{review_id}/queue/{record_id}", {
        params: { ...params, query: { stage: entry.stage } },
        ...how,
      });
      return meaning(entry, answer);
    }
    if (entry.kind === "withdraw") {
      const query = { stage: entry.stage, ...(entry.basis === null ? {} : { basis: entry.basis }) };
      const answer = await api.DELETE("/api/v1/reviews/{review_id}/records/{record_id}/decision", {
        params: { ...params, query },
        ...how,
      });
      return meaning(entry, answer);
    }
    const answer = await api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/decision", {
      params,
      body: bodyOf(entry),
      ...how,
    });
    return meaning(entry, answer);
  } catch {
    return { kind: "wait", seconds: null };
  }
}

/**
 * Their answer to one decision names the other record, or the field; and what a closed tab has sent
 * alone is known by its own key.
 */
export const SAYS_MORE_ALONE: ReadonlySet<string> = new Set(["is_duplicate", "invalid", "newer_decision"]);

/** Sends many decisions of one review in one request; the outcomes are in their order. */
export async function sendMany(entries: readonly Entry[]): Promise<Outcome[]> {
  const [first] = entries;
  if (first === undefined) return [];
  try {
    const answer = await api.POST("/api/v1/reviews/{review_id}/decisions", {
      params: { path: { review_id: first.review } },
      body: { items: entries.map(itemOf) },
      headers: { "Idempotency-Key": first.batch ?? newKey(), [USER_HEADER]: first.user },
      fetch: (request: Request) => fetch(request),
    });
    if (answer.data === undefined) {
      const one = meaning(first, answer);
      // Refused as a whole: each of them says alone why.
      if (one.kind === "refused" || one.kind === "changed") return Promise.all(entries.map((e) => send(e)));
      return entries.map(() => one);
    }
    const outcomes: Outcome[] = [];
    for (const [at, item] of answer.data.items.entries()) {
      const entry = entries[at] as Entry;
      if (item.error === null || item.error === undefined) {
        outcomes.push({ kind: "arrived", decision: item.decision?.id ?? null, remaining: null });
      } else if (SAYS_MORE_ALONE.has(item.error.code)) {
        outcomes.push(await send(entry));
      } else {
        const { code, detail } = item.error;
        outcomes.push(judged(entry, { code, detail, status: item.status, title: "" }, null));
      }
    }
    return outcomes;
  } catch {
    return entries.map(() => ({ kind: "wait", seconds: null }));
  }
}

function bodyOf(entry: Entry): Schemas["DecisionIn"] {
  const judgement = entry.judgement;
  if (judgement === null) throw new Error("a decision has a verdict");
  return { ...judgement, stage: entry.stage, basis: entry.basis, made_at: entry.made_at };
}

function itemOf(entry: Entry): Schemas["DecisionItemIn"] {
  const { record, stage, basis, made_at } = entry;
  const said = { record_id: record, stage, basis, made_at };
  if (entry.judgement === null) return { ...said, verdict: null };
  return { ...entry.judgement, ...said };
}

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

function meaning(entry: Entry, answer: Answer): Outcome {
  const { response } = answer;
  if (response.ok) {
    const found = answer.data as Partial<Schemas["DecidedOut"]> | undefined;
    return {
      kind: "arrived",
      decision: found?.decision?.id ?? null,
      remaining: found?.remaining ?? null,
    };
  }
  const after = Number(response.headers.get("Retry-After"));
  return judged(entry, asProblem(answer.error, response.status), after > 0 ? after : null);
}

/** Whether a problem is about this field. */
function names(problem: Problem, field: string): boolean {
  return problem.errors?.some((one) => one.field.endsWith(field)) ?? false;
}

/** Says what a problem means for an entry. */
export function judged(entry: Entry, problem: Problem, seconds: number | null): Outcome {
  if (problem.status >= 500 || problem.status === 429 || problem.status === 408) {
    return { kind: "wait", seconds };
  }
  switch (problem.code) {
    case "unauthenticated":
      return { kind: "signed_out" };
    case "idempotency_key_reused":
      return { kind: "changed", entry: { ...entry, key: "" } };
    case "is_duplicate":
      if (problem.record_id) {
        // Undone is the decision that it was about: never another one that stands on the other record.
        const basis = entry.kind === "withdraw" ? entry.basis : null;
        return { kind: "changed", entry: { ...entry, key: "", record: problem.record_id, basis } };
      }
      break;
    case "no_decision":
      if (entry.kind === "withdraw") return { kind: "arrived", decision: null, remaining: null };
      break;
    case "not_found":
      if (entry.kind === "later") return { kind: "arrived", decision: null, remaining: null };
      break;
    case "invalid":
      // A clock that is wrong is no reason to lose a decision.
      if (entry.made_at !== null && names(problem, "made_at")) {
        return { kind: "changed", entry: { ...entry, key: "", made_at: null } };
      }
      // Nor are criteria that a backup has taken back.
      if (entry.judgement?.criteria_version !== undefined && names(problem, "criteria_version")) {
        const { criteria_version: _, ...judgement } = entry.judgement;
        return { kind: "changed", entry: { ...entry, key: "", judgement } };
      }
      break;
  }
  return { kind: "refused", problem };
}
