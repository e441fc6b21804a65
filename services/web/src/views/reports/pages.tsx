import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { prefix } from "../../api/address";
import { api, data, type Schemas } from "../../api/client";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Button } from "../../ui/parts";
import type { Passage, TextFile } from "./reader";
import { reportTexts as say } from "./texts";

/** So many pages are in the page at once; each is fetched when it comes into sight. */
const AT_ONCE = 40;
const WIDTHS = [800, 1200, 1800] as const;
const MOST_TERMS = 50;

interface Props {
  review: string;
  file: TextFile;
  n: number;
  /** What was searched for. */
  passages: readonly Passage[];
  at: Passage | undefined;
  words: Schemas["HighlightsOut"];
}

/** The pages of a file as pictures, one below the other, with what was found marked on them. */
export function Pages({ review, file, n, passages, at, words }: Props) {
  const [zoom, setZoom] = useState(0);
  const [last, extend] = useState(AT_ONCE);
  const marked = useMarked(review, file, words);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (at === undefined) return;
    extend((now) => Math.max(now, at.page));
    const scroll = () => box.current?.querySelector(".found-here, [data-here]")?.scrollIntoView({ block: "center" });
    requestAnimationFrame(scroll);
  }, [at]);
  const numbers = Array.from({ length: Math.min(n, last) }, (_, index) => index + 1);
  const width = WIDTHS[zoom] ?? WIDTHS[0];
  return (
    <>
      <div class="reader-zoom">
        <span class="small soft">{say.pages(n)}</span>
        <Button kind="quiet" aria-label={say.smaller} disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}>
          −
        </Button>
        <Button kind="quiet" aria-label={say.larger} disabled={zoom === WIDTHS.length - 1} onClick={() => setZoom(zoom + 1)}>
          +
        </Button>
      </div>
      <div class="reader-pages" ref={box} tabIndex={0} role="region" aria-label={say.pagesOf(file.filename)}>
        {numbers.map((page) => (
          <figure key={page} class={`page-picture zoom-${zoom}`} data-here={at?.page === page ? "" : undefined}>
            <Picture
              key={width}
              src={`${prefix}/api/v1/reviews/${review}/texts/${file.id}/pages/${page}.png?width=${width}`}
              alt={say.pageAlt(page, n)}
            />
            <Boxes of={marked.against} page={page} tone="against" />
            <Boxes of={marked.for} page={page} tone="for" />
            <Boxes of={passages} page={page} tone="found" here={at} />
            <figcaption class="small soft">{say.page(page, n)}</figcaption>
          </figure>
        ))}
        {n > last && <Button onClick={() => extend(last + AT_ONCE)}>{say.morePages}</Button>}
      </div>
    </>
  );
}

/** A page's picture: it says that it is on its way, and how to ask again where it did not come. */
function Picture({ src, alt }: { src: string; alt: string }) {
  const [state, setState] = useState<"coming" | "here" | "failed">("coming");
  const [tries, again] = useState(0);
  return (
    <div class={`page-paper ${state}`}>
      {state !== "failed" && (
        <img
          key={tries}
          loading="lazy"
          decoding="async"
          src={src}
          alt={alt}
          onLoad={() => setState("here")}
          onError={() => setState("failed")}
        />
      )}
      {state === "coming" && <span class="page-note small">{say.pageComing}</span>}
      {state === "failed" && (
        <div class="page-note" role="alert">
          <p>{say.pageFailed}</p>
          <Button onClick={() => (setState("coming"), again(tries + 1))}>{texts.problem.again}</Button>
        </div>
      )}
    </div>
  );
}

interface BoxesProps {
  of: readonly Passage[];
  page: number;
  tone: "for" | "against" | "found";
  here?: Passage | undefined;
}

/** Boxes are shares of a page's width and height. */
function Boxes({ of, page, tone, here }: BoxesProps) {
  const mine = of.filter((one) => one.page === page);
  if (mine.length === 0) return null;
  return (
    <svg class={`page-boxes ${tone}`} viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      {mine.flatMap((one) =>
        one.boxes.map((box, at) => (
          <rect
            key={`${one.start} ${at}`}
            class={one === here ? "found-here" : ""}
            x={box.left}
            y={box.top}
            width={box.width}
            height={box.height}
          />
        )),
      )}
    </svg>
  );
}

/** Where the words of the team and of the person stand, as far as the person wants them marked. */
function useMarked(review: string, file: TextFile, team: Schemas["HighlightsOut"]) {
  const { preferences } = usePerson();
  const isOn = preferences.highlights !== "off" && file.state === "ready";
  const ofTeam = preferences.highlights === "all" ? team : { for: [], against: [] };
  const speaksFor = [...ofTeam.for, ...preferences.wordsFor];
  const speaksAgainst = [...ofTeam.against, ...preferences.wordsAgainst];
  return {
    for: usePassages(review, file, speaksFor, isOn),
    against: usePassages(review, file, speaksAgainst, isOn),
  };
}

function usePassages(review: string, file: TextFile, words: readonly string[], isOn: boolean): readonly Passage[] {
  const terms = [...new Set(words)].slice(0, MOST_TERMS);
  const found = useQuery({
    queryKey: ["review", review, "texts", file.id, "marked", terms],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/texts/{text_id}/highlights", {
          params: { path: { review_id: review, text_id: file.id }, query: { terms } },
        }),
      ),
    enabled: isOn && terms.length > 0,
    staleTime: Infinity,
  });
  return found.data?.items ?? [];
}
