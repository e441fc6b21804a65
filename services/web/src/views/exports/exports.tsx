import { useState } from "preact/hooks";
import { prefix } from "../../api/address";
import type { Schemas } from "../../api/client";
import type { Stage } from "../../api/queries";
import { texts } from "../../texts/en";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Field } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import type { ViewProps } from "../review";
import { exportTexts as say } from "./texts";

type Status = Schemas["ShownStatus"];

/** Records and decisions as files, as far as the person may see them. */
export function Exports({ review }: ViewProps) {
  useTitle(say.title);
  const [format, setFormat] = useState<keyof typeof say.formats>("ris");
  const [status, setStatus] = useState<Status | "">("");
  const [stage, setStage] = useState<Stage>("title_abstract");
  const seesAll = review.role === "owner" || review.role === "adjudicator" || !review.policy[stage].blind;
  const statuses: Status[] = seesAll
    ? ["included", "excluded", "conflict", "awaiting", "unscreened"]
    : ["unscreened", "done"];
  const query = new URLSearchParams({ format });
  if (format !== "decisions") query.set("stage", stage);
  if (status !== "" && format !== "decisions") query.set("status", status);
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      <div class="card form">
        <Field label={say.format} hint={say.hints[format]}>
          {(ids) => (
            <select {...ids} value={format} onChange={(event) => setFormat(event.currentTarget.value as "ris")}>
              {Object.entries(say.formats).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {format !== "decisions" && (
          <StageField<Stage> stage={stage} change={(stage) => (setStage(stage), setStatus(""))} />
        )}
        {format !== "decisions" && (
          <Field label={say.which} hint={say.whichMore[stage]}>
            {(ids) => (
              <select {...ids} value={status} onChange={(event) => setStatus(event.currentTarget.value as Status)}>
                <option value="">{say.all}</option>
                {statuses.map((one) => (
                  <option key={one} value={one}>
                    {texts.statuses[one]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <div class="actions">
          <a class="button main" href={`${prefix}/api/v1/reviews/${review.id}/export?${query}`} download>
            {say.download}
          </a>
        </div>
      </div>
    </Shell>
  );
}
