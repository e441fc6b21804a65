import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { prefix } from "./address";
import { type Problem, Refused, Unreachable } from "./problem";

export type Schemas = components["schemas"];

const TRIES = 3;

/** Every request of the page. The browser sends the session's cookie with it. */
export const api = createClient<paths>({
  baseUrl: prefix,
  credentials: "same-origin",
  fetch: sendOnce,
});

let actor: string | null = null;

/** Says whose page this is; every request then names them. */
export function actAs(user: string | null): void {
  actor = user;
}

/** Whose page this is, for requests that do not go through `api`. */
export function actingUser(): string | null {
  return actor;
}

/**
 * A cookie belongs to the browser: when somebody else signs in in another tab, it is theirs. So the
 * server refuses what is sent under another name than the page's, as if nobody were signed in.
 */
export const USER_HEADER = "Tandem-User";

api.use({
  onRequest({ request }) {
    // That one asks who is signed in.
    const isAsking = request.method === "GET" && new URL(request.url).pathname.endsWith("/api/v1/me");
    if (actor !== null && !isAsking && !request.headers.has(USER_HEADER)) request.headers.set(USER_HEADER, actor);
    return request;
  },
});

/**
 * Sends a write again when the server is busy or the connection broke, with one Idempotency-Key:
 * it is done once.
 */
async function sendOnce(request: Request): Promise<Response> {
  if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", newKey());
  }
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(request.clone());
      if (answer.status !== 503 || tries === TRIES) return answer;
      await pause(Number(answer.headers.get("Retry-After") ?? 1));
    } catch (error) {
      if (request.signal.aborted) throw error;
      if (tries === TRIES || !navigator.onLine) throw new Unreachable();
      await pause(tries / 2);
    }
  }
}

/** Returns a key that no other write has. `randomUUID` does not exist on plain http. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export function pause(seconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, 1000 * seconds));
}

/** Returns what was answered, or throws what was refused. */
export async function data<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const answer = await asked;
  if (answer.error === undefined) return answer.data as T;
  throw new Refused(asProblem(answer.error, answer.response.status));
}

/** What stands between us and the API (a proxy) does not answer with problems. */
export function asProblem(body: unknown, status: number): Problem {
  if (typeof body === "object" && body !== null && "detail" in body) return body as Problem;
  const detail = `The server answered ${status}. Try again in a moment.`;
  return { title: "", status, code: "http_error", detail };
}

export const inReview = (review_id: string) => ({ params: { path: { review_id } } });
