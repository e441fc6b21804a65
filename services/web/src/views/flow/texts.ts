import { count, number } from "../../texts/format";
import type { Schemas } from "../../api/client";

export const flowTexts = {
  title: "Flow",
  lead: "The PRISMA 2020 flow diagram. Each number opens the list of records behind it.",
  alt: "PRISMA 2020 flow diagram; the table below has the same numbers",
  downloads: "Download",
  formats: { svg: "SVG, for the web", png: "PNG, for a text", csv: "CSV, for the R package PRISMA2020" },
  unfinished: "Not finished yet",
  remainder: {
    not_screened: (n: number) => count(n, "record is not settled", "records are not settled"),
    being_sought: (n: number) => count(n, "report is being sought", "reports are being sought"),
    to_assess: (n: number) => count(n, "report is to be assessed", "reports are to be assessed"),
    other_already_found: (n: number) =>
      count(n, "record of other methods was found before", "records of other methods were found before"),
  } as Record<string, (n: number) => string>,
  nothingFound: "No record was found yet: nothing was imported that belongs here.",
  finished: "Everything is screened, retrieved and assessed.",
  numbers: "The same as a table",
  box: "Box",
  n: "Number",
  equations: (holding: number, all: number) => `${number(holding)} of ${number(all)} equations hold`,
  holds: { true: "holds", false: "does not hold" },
  wave: "Search",
  allWaves: "All searches as one",
  firstSearch: "First search",
  waveNamed: (wave: number, label: string) => `${number(wave)}: ${label}`,
  back: "The flow",
  items: (n: number) => count(n, "entry", "entries"),
  none: "Nothing is counted here",
  noneMore: "This number is 0.",
  event: (seq: number) => `event ${number(seq)}`,
  study: "Study",
  sources: "Where records come from",
  sourcesMore: "It decides the column of the diagram. Change it where an import was said to come from elsewhere.",
  noSources: "Nothing was imported yet",
  foundBy: "Found by",
  nRecords: (n: number) => count(n, "record", "records"),
  unnamed: "Source not named",
  searchAgain: "Begin another search",
  searchAgainMore:
    "Run the search again later, or go on searching from what you found: imports of now on belong to it, and its flow can be shown alone.",
  label: "Name, as in “Update March 2027”",
  reason: "Why",
  reasons: { update: "An update of the review", iterative: "The next round of an iterative search" } satisfies Record<
    Schemas["WaveKind"],
    string
  >,
  begin: "Begin it",
  blinded: "The flow is not shown to you yet",
  blindedMore: "Its numbers tell how others voted. Owners and adjudicators see it.",
};
