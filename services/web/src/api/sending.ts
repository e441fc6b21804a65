/** Sends files; only XMLHttpRequest tells how much of them is sent. */
import { prefix } from "./address";
import { actingUser, asProblem, newKey, USER_HEADER } from "./client";
import { contents, type Keyed, once } from "./once";
import { Refused, Unreachable } from "./problem";

type Told = (percent: number) => void;

/** Sends a form below `/api/v1/` and returns what is answered. What is sent again is taken once. */
export function send<T>(path: string, form: FormData, sent: Told, method: "POST" | "PUT" = "POST"): Promise<T> {
  // A PUT that comes twice leaves what it left before, or what was put last.
  if (method === "PUT") return request<T>(method, path, form, sent, { "Idempotency-Key": newKey() });
  return once([path, contents(form)], (headers) => request<T>(method, path, form, sent, headers));
}

function request<T>(method: string, path: string, form: FormData, sent: Told, headers: Keyed): Promise<T> {
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
      if (request.status < 300) done(body as T);
      else failed(new Refused(asProblem(body, request.status)));
    };
    request.send(form);
  });
}
