/** Two rounds are at least so far apart: one decision is several events. */
const GATHER_MS = 400;

/**
 * Reads again what events say is outdated, one round after the other.
 *
 * Each event for itself would break off what the one before asked for: where an answer takes longer
 * than the next decision of the team, a view would never get one, and the server would go on with
 * all of them. A round that took long is followed by a pause of the same length.
 */
export function rounds(read: (kinds: string[]) => Promise<unknown>): { add: (kinds: readonly string[]) => void; end: () => void } {
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let restsUntil = 0;
  const go = () => {
    timer = undefined;
    const kinds = [...waiting];
    waiting.clear();
    isReading = true;
    const began = performance.now();
    void read(kinds).finally(() => {
      isReading = false;
      const now = performance.now();
      restsUntil = now + (now - began);
      plan();
    });
  };
  const plan = () => {
    if (isReading || waiting.size === 0) return;
    timer ??= setTimeout(go, Math.max(GATHER_MS, restsUntil - performance.now()));
  };
  return {
    add: (kinds) => {
      for (const kind of kinds) waiting.add(kind);
      plan();
    },
    end: () => {
      clearTimeout(timer);
      timer = undefined;
      waiting.clear();
    },
  };
}
