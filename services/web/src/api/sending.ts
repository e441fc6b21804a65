/** Sends files; only XMLHttpRequest tells how much of them is sent. */
import { prefix } from "./address";
import { actingUser, asProblem, newKey, USER_HEADER } from "./client";
import { contents, type Keyed, once } from "./once";
import { Refused, Unreachable } from "./problem";

type Told = (percent: number) => void;

/** Says whether what was made by an earlier request is still there. */
type Stands<T> = (made: T) => Promise<boolean>;

interface Answer<T> {
  made: T;
  isRepeated: boolean;
}

/**
 * Sends a form below `/api/v1/` and returns what is answered. What is sent again is taken once; where
 * that was undone since, by `stands`, it is taken again.
 */
export async function send<T>(
  path: string,
  form: FormData,
  sent: Told,
  method: "POST" | "PUT" = "POST",
  stands: Stands<T> = () => Promise.resolve(true),
): Promise<T> {
  // A PUT that comes twice leaves what it left before, or what was put last.
  if (method === "PUT") return (await request<T>(method, path, form, sent, { "Idempotency-Key": newKey() })).made;
  const taken = () => once([path, contents(form)], (headers) => request<T>(method, path, form, sent, headers));
  const { made, isRepeated } = await taken();
  return isRepeated && !(await stands(made)) ? (await taken()).made : made;
}

/** Whether what is asked for is still there. */
export function isThere(asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Refused && error.problem.status === 404) return false;
      throw error;
    },
  );
}

function request<T>(method: string, path: string, form: FormData, sent: Told, headers: Keyed): Promise<Answer<T>> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, `${prefix}/api/v1/${path}`);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const user = actingUser();
    if (user !== null) request.setRequestHeader(USER_HEADER, user);
    request.responseType = "json";
    request.upload.onprogress = (event) =>
      event.lengthComputable && sent(Math.round((100 * event.loaded) / event.total));
    request.onerror = () => failed(new Unreachable());
    request.onload = () => {
      const body: unknown = request.response;
      const isRepeated = request.getResponseHeader("Idempotency-Replayed") !== null;
      if (request.status < 300) done({ made: body as T, isRepeated });
      else failed(new Refused(asProblem(body, request.status)));
    };
    request.send(form);
  });
}
