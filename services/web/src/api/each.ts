/** One write for each of many things. */
import { codeOf, Refused } from "./problem";

export interface Told {
  done: string[];
  /** What the server refused, each with why. */
  refused: { id: string; error: unknown }[];
  /** What was not tried, or has no answer: the connection broke, or nobody is signed in any more. */
  left: string[];
  /** Why it ended early. */
  stopped: unknown;
}

/**
 * Writes for one after the other. A refusal of one does not keep the others from being tried; what
 * would keep all of them ends it.
 */
export async function forEach(
  ids: readonly string[],
  write: (id: string) => Promise<unknown>,
  tell: (n: number) => void = () => undefined,
): Promise<Told> {
  const told: Told = { done: [], refused: [], left: [], stopped: null };
  for (const [at, id] of ids.entries()) {
    try {
      await write(id);
      told.done.push(id);
    } catch (error) {
      if (wouldKeepAll(error)) {
        return { ...told, left: ids.slice(at), stopped: error };
      }
      told.refused.push({ id, error });
    }
    tell(at + 1);
  }
  return told;
}

/** Whether no other would be taken either: a server in trouble, or nobody who may write here. */
function wouldKeepAll(error: unknown): boolean {
  if (!(error instanceof Refused)) return true;
  const { status } = error.problem;
  return status >= 500 || status === 429 || ENDS.has(codeOf(error) ?? "");
}

const ENDS = new Set(["unauthenticated", "forbidden", "review_archived"]);
