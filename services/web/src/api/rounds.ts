/** Two readings are at least so far apart: one decision is several events. */
const GATHER_MS = 400;
/** No answer is waited for longer, and no pause is longer: a request may hang, or a tab sleep. */
const LONGEST_MS = 30_000;

/** Has something read again soon; `end` for good. */
export interface Rounds {
  ask: () => void;
  end: () => void;
}

/**
 * Reads something again for events that say it is outdated, one reading after the other.
 *
 * Each event for itself would break off what the one before asked for: where an answer takes longer
 * than the next decision of the team, a view would never get one, and the server would go on with
 * all of them. What took long is followed by a pause of the same length.
 */
export function rounds(read: () => Promise<unknown>): Rounds {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsked = false;
  let isReading = false;
  let restsUntil = 0;
  const go = () => {
    timer = undefined;
    isAsked = false;
    isReading = true;
    const began = performance.now();
    let limit: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((done) => (limit = setTimeout(done, LONGEST_MS)));
    void Promise.race([read(), enough]).finally(() => {
      clearTimeout(limit);
      isReading = false;
      const now = performance.now();
      restsUntil = now + Math.min(now - began, LONGEST_MS);
      plan();
    });
  };
  const plan = () => {
    if (isReading || !isAsked) return;
    timer ??= setTimeout(go, Math.max(GATHER_MS, restsUntil - performance.now()));
  };
  return {
    ask: () => {
      isAsked = true;
      plan();
    },
    end: () => {
      clearTimeout(timer);
      timer = undefined;
      isAsked = false;
    },
  };
}
