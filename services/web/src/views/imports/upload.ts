/** Sends a file of references with what is known of its search. */
import { api, data, type Schemas } from "../../api/client";
import { send } from "../../api/sending";

type Import = Schemas["ImportOut"];

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
): Promise<Import> {
  const form = new FormData();
  for (const [name, value] of Object.entries(about) as [string, string][]) {
    if (value !== "") form.append(name, value);
  }
  form.append("file", file);
  return send<Import>(`reviews/${review}/imports`, form, sent, "POST", async ({ id }) => {
    const path = { review_id: review, import_id: id };
    const now = await data(api.GET("/api/v1/reviews/{review_id}/imports/{import_id}", { params: { path } }));
    return now.state !== "taken_back";
  });
}
