import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Button, Field } from "../../ui/parts";

type Own = "wordsFor" | "wordsAgainst";

/** Which words are marked in the text: the team's, one's own. */
export function OwnWords({ review }: { review: Review }) {
  const { preferences, prefer } = usePerson();
  const { highlights } = review;
  const say = texts.screen;
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const pressed = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "wordsFor";
    const word = String(new FormData(form).get("word") ?? "").trim();
    const own = pressed as Own;
    if (word !== "" && !preferences[own].includes(word)) prefer({ [own]: [...preferences[own], word] });
    form.reset();
  };
  return (
    <section class="own-words">
      <h2 class="criteria-title">{say.highlights}</h2>
      <Field label={say.highlightsShow}>
        {(ids) => (
          <select
            {...ids}
            value={preferences.highlights}
            onChange={(event) => prefer({ highlights: event.currentTarget.value as "all" })}
          >
            {(["all", "own", "off"] as const).map((one) => (
              <option key={one} value={one}>
                {say.densities[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ul class="chips">
        {highlights.for.map((word) => (
          <li key={`+${word}`} class="chip">
            <mark class="for">{word}</mark>
          </li>
        ))}
        {highlights.against.map((word) => (
          <li key={`-${word}`} class="chip">
            <mark class="against">{word}</mark>
          </li>
        ))}
        {(["wordsFor", "wordsAgainst"] as const).flatMap((own) =>
          preferences[own].map((word) => (
            <li key={own + word} class="chip">
              <mark class={own === "wordsFor" ? "for" : "against"}>{word}</mark>
              <button
                type="button"
                aria-label={`${texts.remove}: ${word}`}
                onClick={() => prefer({ [own]: preferences[own].filter((one) => one !== word) })}
              >
                ×
              </button>
            </li>
          )),
        )}
      </ul>
      <form onSubmit={add}>
        <Field label={say.ownWords} hint={say.wordHint}>
          {(ids) => <input {...ids} name="word" maxLength={100} autocomplete="off" />}
        </Field>
        <div class="own-words-add">
          <Button type="submit" value="wordsFor" aria-label={say.wordFor} icon="include" />
          <Button type="submit" value="wordsAgainst" aria-label={say.wordAgainst} icon="exclude" />
        </div>
      </form>
    </section>
  );
}
