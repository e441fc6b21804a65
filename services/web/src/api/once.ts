/** What must not be done twice is sent under a key of its own until an answer has come. */
import { newKey } from "./client";
import { Refused } from "./problem";

const unanswered = new Map<string, string>();

/** The header that names a write; the server does it once, however often it comes. */
export type Keyed = {
  "Idempotency-Key": string;
};

/**
 * Sends something under its Idempotency-Key, and under the same one when it is sent again after no
 * answer came: it may have arrived. `what` tells it from all else that is sent.
 */
export async function once<T>(what: unknown, send: (headers: Keyed) => Promise<T>): Promise<T> {
  const name = JSON.stringify(what);
  const key = unanswered.get(name) ?? newKey();
  unanswered.set(name, key);
  try {
    const answer = await send({ "Idempotency-Key": key });
    unanswered.delete(name);
    return answer;
  } catch (error) {
    // A server in trouble, or a proxy before it, does not say whether it was done.
    if (error instanceof Refused && error.problem.status < 500) unanswered.delete(name);
    throw error;
  }
}

/** What tells a form from others; the same file chosen anew is the same. */
export function contents(form: FormData): unknown[] {
  return [...form].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.size, value.lastModified],
  );
}
