/** Sends files; only XMLHttpRequest tells how much of them is sent. */
import { prefix } from "./address";
import { actingUser, asProblem, newKey, USER_HEADER } from "./client";
import { Refused, Unreachable } from "./problem";

/** Sends a form below `/api/v1/` and returns what is answered. */
export function send<T>(
  path: string,
  form: FormData,
  sent: (percent: number) => void,
  method: "POST" | "PUT" = "POST",
): Promise<T> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, `${prefix}/api/v1/${path}`);
    request.setRequestHeader("Idempotency-Key", newKey());
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
