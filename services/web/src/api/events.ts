/** What happens in a review while somebody looks at it: events say what to read again. */
import { prefix } from "./address";
import type { Schemas } from "./client";
import { outdated } from "./queries";

const DECIDED = ["records", "record", "progress", "waiting", "mine", "agreement", "stopping", "flow"];
const CONFLICT = ["conflicts", "conflict", "waiting", "progress", "agreement", "stopping", "flow"];
const AUDIT = ["stopping", "stopping_note"];
const IMPORT = ["imports", "records", "waiting", "progress", "duplicates", "stopping", "flow"];
const LINKED = ["duplicates", "records", "waiting", "progress", "stopping", "flow"];
const REMOVAL = ["records", "record", "waiting", "progress", "stopping", "flow"];
const REPORT = ["reports", "records", "record", "waiting", "flow"];
const STUDY = ["studies", "reports", "record", "flow"];
const TEAM = ["members", "invitations", "waiting"];
const REVIEW = ["review", "waiting", "progress", "conflicts", "stopping"];

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
  "tandem.study.split": STUDY,
  "tandem.synthesis.changed": ["synthesis"],
  "tandem.synthesis.imported": ["synthesis"],
  "tandem.wave.opened": ["imports", "waiting", "records", "waves", "flow"],
  "tandem.import.progress": ["imports"],
};
const GATHER_MS = 400;

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
  const begin = () => {
    if (source !== null || document.visibilityState !== "visible") return;
    source = new EventSource(`${prefix}/api/v1/reviews/${review}/events?after=latest`);
    for (const [type, kinds] of Object.entries(CONCERNS)) {
      source.addEventListener(type, () => {
        for (const kind of kinds) waiting.add(kind);
        if (kinds.length > 0) timer ??= setTimeout(tell, GATHER_MS);
      });
    }
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
