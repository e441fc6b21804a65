import { useEffect } from "preact/hooks";
import { isWriting, meaning } from "../../keys/keys";
import type { Verdict } from "../../outbox/entries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Icon } from "../../ui/icons";

interface Props<V extends Verdict> {
  legend: string;
  verdicts: V[];
  value: V | null;
  change: (verdict: V) => void;
}

/** A choice of verdicts as large buttons; the keys of screening choose, too. */
export function VerdictChoice<V extends Verdict>({ legend, verdicts, value, change }: Props<V>) {
  const { preferences } = usePerson();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isWriting(event.target)) return;
      const does = meaning(event, preferences.keys);
      const verdict = verdicts.find((one) => one === does);
      if (verdict !== undefined) change(verdict);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [preferences.keys, change]);
  return (
    <fieldset class="verdict-choice">
      <legend>{legend}</legend>
      {verdicts.map((verdict) => (
        <label key={verdict} class={`answer ${verdict} ${verdict === value ? "chosen" : ""}`}>
          <input
            type="radio"
            class="hidden"
            name="verdict"
            value={verdict}
            checked={verdict === value}
            onChange={() => change(verdict)}
          />
          <Icon name={verdict} />
          {texts.verdicts[verdict]}
        </label>
      ))}
    </fieldset>
  );
}
