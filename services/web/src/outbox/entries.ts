/**
 * What one person has decided and the server does not have yet, as pure functions over a list.
 *
 * The list is in the order in which it is sent. An entry that was never sent can be dropped without
 * a trace; one that was tried may have arrived, so its undo is an entry of its own.
 */
import type { Schemas } from "../api/client";

export type Verdict = Schemas["Verdict"];
export type Stage = Schemas["Stage"];

export interface Judgement {
  verdict: Verdict;
  reasons: string[];
  labels: string[];
  note: string | null;
  seconds: number | null;
  /** Of the criteria that were shown; left out by pages of before. */
  criteria_version?: number;
  /** At full text, of what is included and cannot be used yet. */
  classification?: Schemas["Classification"] | null;
}

export interface Entry {
  /** Its place among those that are stored; the browser gives it, so what this tab adds has none. */
  id?: number;
  /** Its Idempotency-Key, kept over retries. */
  key: string;
  user: string;
  review: string;
  record: string;
  stage: Stage;
  title: string;
  kind: "decide" | "withdraw" | "later";
  judgement: Judgement | null;
  made_at: string | null;
  /** The newest decision that the page knew of, null for none. */
  basis: string | null;
  /** The entry on the same record that has to arrive first; its answer becomes the basis. */
  after: string | null;
  /** Whether it may have reached the server. */
  tried: boolean;
  /** The Idempotency-Key under which it was sent with others: they go together again. */
  batch?: string | undefined;
  /** The tab that sends it. */
  tab: string;
}

export interface NotSent {
  entry: Entry;
  code: string;
  detail: string;
}

/** Returns the newest entry on a record in a stage, or undefined. */
export function lastOn(entries: readonly Entry[], review: string, record: string, stage: Stage) {
  return entries.findLast((one) => one.review === review && one.record === record && one.stage === stage);
}

/** Adds an entry behind the others, tied to what is already waiting for the same record. */
export function added(entries: readonly Entry[], entry: Entry): Entry[] {
  const before = lastOn(entries, entry.review, entry.record, entry.stage);
  return [...entries, before === undefined ? entry : { ...entry, after: before.key }];
}

/** Takes an entry out if it was never sent; null if it may have arrived. */
export function dropped(entries: readonly Entry[], key: string): Entry[] | null {
  const found = entries.find((one) => one.key === key);
  if (found === undefined || found.tried) return null;
  return entries.filter((one) => one.key !== key);
}

/** What the list is once an entry has arrived and the server's present decision is `decision`. */
export function arrived(entries: readonly Entry[], key: string, decision: string | null): Entry[] {
  return entries
    .filter((one) => one.key !== key)
    .map((one) => (one.after === key ? { ...one, after: null, basis: decision } : one));
}

/** What the list is once the server asks for an entry in another form; `key` is its new one. */
export function changed(entries: readonly Entry[], entry: Entry, into: Entry, key: string): Entry[] {
  return entries.map((one) => {
    if (one.key === entry.key) return { ...into, key };
    return one.after === entry.key ? { ...one, after: key } : one;
  });
}

/** What the list is once an entry was refused for good: the undo of a decision has nothing to undo. */
export function refused(entries: readonly Entry[], key: string): Entry[] {
  const gone = entries.find((one) => one.key === key);
  return entries.flatMap((one) => {
    if (one.key === key || (one.after === key && one.kind !== "decide" && gone?.kind === "decide")) return [];
    return [one.after === key ? { ...one, after: gone?.after ?? null, basis: gone?.basis ?? null } : one];
  });
}

/** Notes what may have reached the server from now on, alone or in a batch. */
export function marked(entries: readonly Entry[], keys: ReadonlySet<string>, batch?: string): Entry[] {
  return entries.map((one) => (keys.has(one.key) && !one.tried ? { ...one, tried: true, batch } : one));
}
