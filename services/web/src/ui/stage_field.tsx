import type { Schemas } from "../api/client";
import { texts } from "../texts/en";
import { Field } from "./parts";

type Stage = Schemas["Stage"];

interface Props<S extends Stage | ""> {
  stage: S;
  /** What no stage is called, where both may be shown. */
  none?: string;
  change: (stage: S) => void;
}

/** Which stage a list is of. */
export function StageField<S extends Stage | "">({ stage, none, change }: Props<S>) {
  return (
    <Field label={texts.stage}>
      {(ids) => (
        <select {...ids} value={stage} onChange={(event) => change(event.currentTarget.value as S)}>
          {none !== undefined && <option value="">{none}</option>}
          {Object.entries(texts.stages).map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
