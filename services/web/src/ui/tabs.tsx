interface Props<T extends string> {
  label: string;
  value: T;
  options: [T, string][];
  change: (value: T) => void;
}

/** A choice between a few lists, by radio buttons that look like tabs. */
export function Tabs<T extends string>({ label, value, options, change }: Props<T>) {
  return (
    <fieldset class="tabs">
      <legend class="hidden">{label}</legend>
      {options.map(([option, name]) => (
        <label key={option} class={option === value ? "here" : ""}>
          <input
            type="radio"
            name={label}
            class="hidden"
            checked={option === value}
            onChange={() => change(option)}
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
