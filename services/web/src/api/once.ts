/** What must not be done twice is sent under a key of its own until it has been done. */
import { newKey } from "./client";
import { codeOf } from "./problem";

const unanswered = new Map<string, string>();

/** The header that names a write; the server does it once, however often it comes. */
export type Keyed = {
  "Idempotency-Key": string;
};

/**
 * Sends something under its Idempotency-Key, and under the same one when it is sent again after it
 * failed: it may have arrived. `what` tells it from all else that is sent.
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
    // What is refused was not done by this request, but perhaps by the one before it, or by one that
    // is still under way. A refused key can be used again.
    if (codeOf(error) === "idempotency_key_reused") unanswered.delete(name);
    else unanswered.set(name, key);
    throw error;
  }
}

/** What tells a form from others; a file that is chosen again is the same. */
export function contents(form: FormData): unknown[] {
  return [...form].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.size, value.lastModified],
  );
}
