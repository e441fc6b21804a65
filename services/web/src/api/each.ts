/** One write for each of many things. */
import { codeOf, Refused } from "./problem";

export interface Told {
  done: string[];
  /** What the server refused, each with why. */
  refused: { id: string; error: unknown }[];
  /** What was not tried: the connection broke, or nobody is signed in any more. */
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
      if (!(error instanceof Refused) || ENDS.has(codeOf(error) ?? "")) {
        return { ...told, left: ids.slice(at), stopped: error };
      }
      told.refused.push({ id, error });
    }
    tell(at + 1);
  }
  return told;
}

const ENDS = new Set(["unauthenticated", "forbidden", "review_archived"]);
