/** Sends a file; only XMLHttpRequest tells how much of it is sent. */
import { prefix } from "../../api/address";
import { asProblem, newKey, type Schemas } from "../../api/client";
import { Refused, Unreachable } from "../../api/problem";

export interface About {
  source: string;
  platform: string;
  searched_on: string;
  strategy: string;
}

export function upload(
  review: string,
  file: File,
  about: About,
  sent: (percent: number) => void,
): Promise<Schemas["ImportOut"]> {
  const form = new FormData();
  for (const [name, value] of Object.entries(about) as [string, string][]) {
    if (value !== "") form.append(name, value);
  }
  form.append("file", file);
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${prefix}/api/v1/reviews/${review}/imports`);
    request.setRequestHeader("Idempotency-Key", newKey());
    request.responseType = "json";
    request.upload.onprogress = (event) =>
      event.lengthComputable && sent(Math.round((100 * event.loaded) / event.total));
    request.onerror = () => failed(new Unreachable());
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status < 300) done(body as Schemas["ImportOut"]);
      else failed(new Refused(asProblem(body, request.status)));
    };
    request.send(form);
  });
}
