import type { ComponentChildren } from "preact";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { OwnWords } from "./own_words";

interface Props {
  review: Review;
  exclude?: (reason: string) => void;
  /** What stands before the words to mark. */
  between?: ComponentChildren;
}

/** What the review includes and excludes; with `exclude` a reason is also a way to exclude. */
export function Criteria({ review, exclude, between }: Props) {
  const { criteria, exclusion_reasons: reasons, question } = review;
  const { preferences } = usePerson();
  const isBare = criteria.include.length + criteria.exclude.length + reasons.length === 0;
  return (
    <div class="criteria">
      {question && <p class="criteria-question">{question}</p>}
      {isBare && <p class="soft small">{texts.screen.noCriteria}</p>}
      <List title={texts.screen.include} items={criteria.include} tone="include" />
      <List title={texts.screen.exclude} items={criteria.exclude} tone="exclude" />
      {exclude && reasons.length > 0 && (
        <section>
          <h2 class="criteria-title">{texts.screen.reasons}</h2>
          <ol class="criteria-reasons">
            {reasons.map((reason, at) => (
              <li key={reason}>
                <button type="button" onClick={() => exclude(reason)}>
                  {at < 9 && preferences.keys !== "off" && <kbd aria-hidden="true">{at + 1}</kbd>}
                  <span>{reason}</span>
                </button>
              </li>
            ))}
          </ol>
        </section>
      )}
      {between}
      {exclude && <OwnWords review={review} />}
    </div>
  );
}

function List({ title, items, tone }: { title: string; items: string[]; tone: string }) {
  if (items.length === 0) return null;
  return (
    <section>
      <h2 class={`criteria-title ${tone}`}>{title}</h2>
      <ul>
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </section>
  );
}
