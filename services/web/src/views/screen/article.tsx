import type { Ref } from "preact";
import { useMemo } from "preact/hooks";
import type { Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { parts, pattern, sections } from "../../highlight/highlight";
import type { QueueItem } from "../../outbox/store";
import { texts } from "../../texts/en";
import { languageCode } from "../../texts/language";
import { usePerson } from "../../ui/context";
import { Icon } from "../../ui/icons";

type Bibliographic = Schemas["BibliographicOut"];
type Pattern = ReturnType<typeof pattern>;

interface Props {
  item: QueueItem;
  review: Review;
  titleRef: Ref<HTMLHeadingElement>;
}

/** A record to read: what it is, its abstract, where it comes from. */
export function Article({ item, review, titleRef }: Props) {
  const marks = useMarks(review);
  const { record } = item;
  return (
    <article class="article" lang={languageCode(record.language)}>
      <h2 class="article-title" tabIndex={-1} ref={titleRef}>
        <Marked text={record.title} marks={marks} />
      </h2>
      <Byline record={record} />
      <Abstract record={record} marks={marks} />
      <About record={record} />
      {item.terms.length > 0 && (
        <details>
          <summary>{texts.screen.why}</summary>
          <p class="small soft">{texts.screen.whyText}</p>
          <ul class="chips">
            {item.terms.map((term) => (
              <li class="chip" key={term.term}>
                {term.term} <span class="soft">({term.weight >= 0 ? texts.screen.whySpeaks.for : texts.screen.whySpeaks.against})</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}

/** The words to mark, of the team and of the person, as the person wants it. */
export function useMarks(review: Review): Pattern {
  const { preferences } = usePerson();
  const { highlights, wordsFor, wordsAgainst } = preferences;
  return useMemo(() => {
    if (highlights === "off") return null;
    const team = highlights === "all" ? review.highlights : { for: [], against: [] };
    return pattern({ for: [...team.for, ...wordsFor], against: [...team.against, ...wordsAgainst] });
  }, [highlights, wordsFor, wordsAgainst, review.highlights]);
}

export function Marked({ text, marks }: { text: string; marks: Pattern }) {
  const found = useMemo(() => parts(text, marks), [text, marks]);
  return (
    <>
      {found.map((part) => (part.tone === null ? part.text : <mark class={part.tone}>{part.text}</mark>))}
    </>
  );
}

export function Byline({ record }: { record: Bibliographic }) {
  const first = record.authors.slice(0, 6);
  const more = record.authors.length - first.length;
  const authors = first.join(" · ") + (more > 0 ? ` · +${more}` : "");
  const place = [record.journal, record.year].filter(Boolean).join(", ");
  return (
    <p class="byline">
      {authors}
      {authors && place && <br />}
      {place && <span>{place}</span>}
    </p>
  );
}

export function Abstract({ record, marks }: { record: Bibliographic; marks: Pattern }) {
  if (record.abstract.trim() === "") {
    return (
      <p class="notice">
        {texts.screen.noAbstract}
        <Elsewhere record={record} />
      </p>
    );
  }
  return (
    <div class="abstract">
      {sections(record.abstract).map((section) => (
        <p key={section.heading}>
          {section.heading && <strong class="section">{section.heading}</strong>}
          <Marked text={section.text} marks={marks} />
        </p>
      ))}
    </div>
  );
}

export function Elsewhere({ record }: { record: Bibliographic }) {
  const href = record.doi ? `https://doi.org/${record.doi}` : safe(record.url);
  if (href === null) return null;
  return (
    <a class="elsewhere" href={href} target="_blank" rel="noreferrer noopener">
      {texts.screen.atDoi}
      <Icon name="link" />
    </a>
  );
}

/** An address from a file may be anything: only the web's are links. */
function safe(url: string | null): string | null {
  return url !== null && /^https?:\/\//i.test(url) ? url : null;
}

function About({ record }: { record: QueueItem["record"] }) {
  const sources = [...new Set(record.sources.map((one) => one.source).filter((one) => one !== null))];
  return (
    <div class="about">
      {record.keywords.length > 0 && (
        <p>
          <span class="soft">{texts.screen.keywords}: </span>
          {record.keywords.join(" · ")}
        </p>
      )}
      <p>
        {sources.length > 0 && (
          <>
            <span class="soft">{texts.screen.sources}: </span>
            {sources.join(", ")}
            {" · "}
          </>
        )}
        {record.duplicates.length > 0 && <>{texts.screen.duplicateOf(record.duplicates.length)} · </>}
        <span class="soft">#{record.id}</span>
        {record.pmid && <> · PMID {record.pmid}</>}
      </p>
      {record.abstract.trim() !== "" && (
        <p>
          <Elsewhere record={record} />
        </p>
      )}
    </div>
  );
}
