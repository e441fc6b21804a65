import { Field } from "./parts";

interface ChoiceProps {
  label: string;
  now: string | undefined;
  /** What no choice is called; without it, one of the options is always chosen. */
  any?: string;
  options: readonly (readonly [string, string])[];
  change: (value: string) => void;
}

/** A list to choose a filter or an order from. */
export function Choice({ label, now, any, options, change }: ChoiceProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} value={now ?? ""} onChange={(event) => change(event.currentTarget.value)}>
          {any !== undefined && <option value="">{any}</option>}
          {options.map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
