/** Sends a file of references with what is known of its search. */
import type { Schemas } from "../../api/client";
import { send } from "../../api/sending";

export interface About {
  source: string;
  platform: string;
  searched_on: string;
  strategy: string;
  found_by: string;
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
  return send<Schemas["ImportOut"]>(`reviews/${review}/imports`, form, sent);
}
