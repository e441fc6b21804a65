import { useState } from "preact/hooks";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Button, Field } from "../../ui/parts";
import { Saved, useChange } from "./settings";
import { settingsTexts as say } from "./texts";

/** Reasons to exclude, in the order of their keys. */
export function Reasons({ review }: { review: Review }) {
  const change = useChange(review.id);
  const [reasons, setReasons] = useState(review.exclusion_reasons);
  const [word, setWord] = useState("");
  const moved = (at: number, by: number) => {
    const next = [...reasons];
    const [one] = next.splice(at, 1);
    if (one !== undefined) next.splice(at + by, 0, one);
    setReasons(next);
  };
  const withWord = () => {
    const one = word.trim();
    return one === "" || reasons.includes(one) ? reasons : [...reasons, one];
  };
  const add = () => {
    setReasons(withWord());
    setWord("");
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const next = withWord();
    setReasons(next);
    setWord("");
    change.mutate({ exclusion_reasons: next });
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.reasons}</h2>
      <p class="hint">{say.reasonsMore}</p>
      <ol class="plainlist rows reasons">
        {reasons.map((one, at) => (
          <li key={one} class="row">
            <span>
              {at < 9 && <kbd>{at + 1}</kbd>} {one}
            </span>
            <span class="actions tight">
              <Button kind="quiet" icon="up" aria-label={say.up(one)} disabled={at === 0} onClick={() => moved(at, -1)} />
              <Button
                kind="quiet"
                icon="down"
                aria-label={say.down(one)}
                disabled={at === reasons.length - 1}
                onClick={() => moved(at, 1)}
              />
              <Button
                kind="quiet"
                icon="close"
                aria-label={`${texts.remove}: ${one}`}
                onClick={() => setReasons(reasons.filter((other) => other !== one))}
              />
            </span>
          </li>
        ))}
      </ol>
      <div class="inline-form">
        <Field label={say.newReason}>
          {(ids) => (
            <input {...ids} value={word} maxLength={500} onInput={(event) => setWord(event.currentTarget.value)} />
          )}
        </Field>
        <Button onClick={add}>{texts.add}</Button>
      </div>
      <Saved change={change} />
    </form>
  );
}
