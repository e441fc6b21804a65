/** What happens in a review while somebody looks at it: events say what to read again. */
import { prefix } from "./address";
import { outdated } from "./queries";

/** Which of what the views read is changed by an event. */
const CONCERNS: [prefix: string, kinds: string[]][] = [
  ["tandem.decision", ["records", "record", "progress", "waiting", "mine", "agreement"]],
  ["tandem.record", ["records", "record", "progress", "waiting", "mine", "agreement"]],
  ["tandem.conflict", ["conflicts", "conflict", "waiting", "progress", "agreement"]],
  ["tandem.resolution", ["conflicts", "conflict", "agreement"]],
  ["tandem.import.progress", ["imports"]],
  ["tandem.import", ["imports", "records", "waiting", "progress", "duplicates"]],
  ["tandem.duplicates", ["duplicates", "records", "waiting", "progress"]],
  ["tandem.member", ["members", "invitations", "waiting"]],
  ["tandem.review", ["review", "criteria", "waiting", "progress"]],
];
const GATHER_MS = 400;

/** Names what an event makes out of date. */
export function concerned(type: string): string[] {
  return CONCERNS.find(([start]) => type.startsWith(start))?.[1] ?? [];
}

/**
 * Follows a review while its tab is visible; returns what ends it.
 *
 * Only one tab is visible at a time, so tabs do not use up the connections that a browser has.
 */
export function follow(review: string): () => void {
  let source: EventSource | null = null;
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    timer = undefined;
    for (const kind of waiting) outdated(review, kind);
    waiting.clear();
  };
  const heard = (event: MessageEvent<string>) => {
    const { type } = JSON.parse(event.data) as { type?: string };
    for (const kind of concerned(type ?? "")) waiting.add(kind);
    if (waiting.size > 0) timer ??= setTimeout(tell, GATHER_MS);
  };
  const begin = () => {
    if (source !== null || document.visibilityState !== "visible") return;
    source = new EventSource(`${prefix}/api/v1/reviews/${review}/events?after=latest`);
    source.onmessage = heard;
  };
  const end = () => {
    source?.close();
    source = null;
  };
  const change = () => {
    if (document.visibilityState !== "visible") return end();
    begin();
    outdated(review);
  };
  document.addEventListener("visibilitychange", change);
  begin();
  return () => {
    document.removeEventListener("visibilitychange", change);
    clearTimeout(timer);
    end();
  };
}
