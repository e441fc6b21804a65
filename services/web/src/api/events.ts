/** What happens in a review while somebody looks at it: events say what to read again. */
import { prefix } from "./address";
import type { Schemas } from "./client";
import { outdated, refreshed, stale } from "./queries";
import { type Rounds, rounds } from "./rounds";

const DECIDED = ["records", "record", "progress", "waiting", "mine", "members", "agreement", "stopping", "flow"];
const CONFLICT = ["conflicts", "conflict", "waiting", "progress", "agreement", "stopping", "flow"];
const AUDIT = ["stopping", "stopping_note"];
const IMPORT = ["imports", "records", "waiting", "progress", "duplicates", "stopping", "flow"];
const LINKED = ["duplicates", "records", "waiting", "progress", "stopping", "flow"];
const REMOVAL = ["records", "record", "waiting", "progress", "stopping", "flow"];
const REPORT = ["reports", "records", "record", "waiting", "flow"];
const STUDY = ["studies", "reports", "record", "flow"];
const TEAM = ["members", "invitations", "waiting"];
const REVIEW = ["review", "pilot", "waiting", "progress", "conflicts", "stopping"];

/** Which of what the views read is changed by an event; the compiler wants every type here. */
export const CONCERNS: Record<Schemas["EventType"] | "tandem.import.progress", string[]> = {
  "tandem.audit.finished": AUDIT,
  "tandem.audit.started": AUDIT,
  "tandem.conflict.opened": CONFLICT,
  "tandem.conflict.reopened": CONFLICT,
  "tandem.conflict.resolved": CONFLICT,
  "tandem.decision.recorded": DECIDED,
  "tandem.decision.withdrawn": DECIDED,
  "tandem.duplicates.merged": LINKED,
  "tandem.duplicates.split": LINKED,
  "tandem.import.changed": IMPORT,
  "tandem.import.failed": IMPORT,
  "tandem.import.finished": IMPORT,
  "tandem.import.retried": IMPORT,
  "tandem.import.taken_back": IMPORT,
  "tandem.interest.declared": ["waiting", "interests"],
  "tandem.member.added": TEAM,
  "tandem.member.changed": TEAM,
  "tandem.member.removed": TEAM,
  "tandem.ranking.updated": [],
  "tandem.record.excluded": DECIDED,
  "tandem.record.included": DECIDED,
  "tandem.record.removed": REMOVAL,
  "tandem.record.reopened": DECIDED,
  "tandem.record.restored": REMOVAL,
  "tandem.report.retrieval_changed": REPORT,
  "tandem.report.text_added": REPORT,
  "tandem.report.text_read": REPORT,
  "tandem.report.text_removed": REPORT,
  "tandem.resolution.changed": CONFLICT,
  "tandem.review.changed": REVIEW,
  "tandem.review.created": REVIEW,
  "tandem.stopping.changed": ["stopping"],
  "tandem.study.grouped": STUDY,
  "tandem.study.sampled": STUDY,
  "tandem.study.separated": ["studies"],
  "tandem.study.split": STUDY,
  "tandem.synthesis.changed": ["synthesis"],
  "tandem.synthesis.imported": ["synthesis"],
  "tandem.wave.opened": ["imports", "waiting", "records", "waves", "flow"],
  "tandem.import.progress": ["imports"],
};
/** Who follows later than this has shown something in the meantime. */
const LATE_MS = 1000;
/** Until a stream that the server refused is asked for again. */
const AGAIN_MS = 5000;

/**
 * Follows a review while its tab is visible; returns what ends it.
 *
 * A browser has six connections to a server. So of all tabs that show a review, one follows its
 * events and tells the others; where the browser has no locks, each visible tab follows them. Tabs
 * of different people share nothing: one of them may see more than the other.
 */
export function follow(review: string, person: string): () => void {
  const shared = `tandem events ${review} ${person}`;
  const readings = new Map<string, Rounds>(); // of each kind: one that takes long holds up no other
  const concerns = (kinds: readonly string[]) => {
    for (const kind of new Set(kinds)) {
      stale(review, kind);
      const reading = readings.get(kind) ?? rounds(() => refreshed(review, kind));
      readings.set(kind, reading);
      reading.ask();
    }
  };
  const others = new BroadcastChannel(shared);
  others.onmessage = (message: MessageEvent<string[]>) => {
    if (document.visibilityState === "visible") concerns(message.data);
  };
  let end: (() => void) | null = null;
  const begin = () => {
    if (end !== null || document.visibilityState !== "visible") return;
    let isLate = false;
    end = whenAlone(shared, () => {
      if (isLate) outdated(review); // what happened since the tab before has ended
      return stream(review, (kinds) => {
        concerns(kinds);
        others.postMessage(kinds);
      });
    });
    setTimeout(() => (isLate = true), LATE_MS);
  };
  const stop = () => {
    end?.();
    end = null;
  };
  const change = () => {
    if (document.visibilityState !== "visible") return stop();
    begin();
    outdated(review);
  };
  document.addEventListener("visibilitychange", change);
  begin();
  return () => {
    document.removeEventListener("visibilitychange", change);
    for (const reading of readings.values()) reading.end();
    stop();
    others.close();
  };
}

/** Works while no other tab does so under this name; returns what ends it. */
function whenAlone(name: string, work: () => () => void): () => void {
  // Browsers have locks at https addresses and on the own machine only.
  if (!("locks" in navigator)) return work();
  const asking = new AbortController();
  let end = () => asking.abort();
  navigator.locks
    .request(name, { signal: asking.signal }, () => {
      const finish = work();
      return new Promise<void>((done) => {
        end = () => {
          finish();
          done();
        };
      });
    })
    .catch((error: unknown) => {
      if (!asking.signal.aborted) throw error;
    });
  return () => end();
}

/**
 * Reads the events of a review from now on; returns what ends it.
 *
 * A browser connects again by itself where a connection breaks, but not where the server answers
 * with an error, such as while it starts. What happened until then is unknown: all is outdated.
 */
function stream(review: string, happened: (kinds: readonly string[]) => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(`${prefix}/api/v1/reviews/${review}/events?after=latest`);
    for (const [type, kinds] of Object.entries(CONCERNS)) {
      source.addEventListener(type, () => happened(kinds));
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      again = setTimeout(() => {
        open();
        happened(Object.values(CONCERNS).flat());
      }, AGAIN_MS);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}
