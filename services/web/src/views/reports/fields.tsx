import type { Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Field } from "../../ui/parts";
import { reportTexts as say } from "./texts";

/** The reason of an exclusion at full text: one of the review's, or one that is written. */
export function ReasonField({ review, chosen }: { review: Review; chosen?: string | undefined }) {
  const reasons = [...new Set([...review.exclusion_reasons, ...(chosen === undefined ? [] : [chosen])])];
  if (reasons.length === 0) {
    return (
      <Field label={say.reason} hint={texts.screen.otherReasonMore}>
        {(ids) => <input {...ids} name="reason" required maxLength={500} autocomplete="off" />}
      </Field>
    );
  }
  return (
    <Field label={say.reason}>
      {(ids) => (
        <select {...ids} name="reason" required>
          <option value="">{say.noReason}</option>
          {reasons.map((one) => (
            <option key={one} selected={chosen === one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** What is included as: of a study that can be used, or that cannot be used yet. */
export function ClassificationField({ chosen }: { chosen: Schemas["Classification"] | null }) {
  const { names } = texts.screen.including;
  return (
    <Field label={texts.screen.including.title}>
      {(ids) => (
        <select {...ids} name="classification">
          <option value="">{names.included}</option>
          {(["ongoing", "awaiting_classification"] as const).map((one) => (
            <option key={one} value={one} selected={one === chosen}>
              {names[one]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
