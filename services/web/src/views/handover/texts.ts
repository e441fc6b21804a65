import { count, number } from "../../texts/format";
import type { Schemas } from "../../api/client";

export const handoverTexts = {
  title: "Hand over",
  lead: "Take what is included to the tool of your synthesis, and the report of the methods to your manuscript.",
  ready: "Is it ready?",
  included: (reports: number, studies: number) =>
    `${count(reports, "included report", "included reports")} of ${count(studies, "study", "studies")}`,
  nothing: "Nothing is included at full text yet. What is handed over holds no reports until then.",
  toFullTexts: "Go to full texts",
  allFiles: "Each included report has a file.",
  noFile: (n: number) =>
    `${count(n, "included report has", "included reports have")} no file: handed over by title and abstract only`,
  conflicts: (n: number) => count(n, "conflict is open", "conflicts are open"),
  noConflicts: "No conflict is open.",
  allSearches: "Each search names its source, its day and its strategy.",
  searches: (missing: number, all: number) =>
    `Source, day or strategy of ${number(missing)} of ${count(all, "search", "searches")} are not known`,
  files: "For the synthesis",
  withTexts: "With the full texts",
  withTextsMore: "Leave them out where the file goes to people who may not have them.",
  formats: {
    qdpx: { name: "Coding project (QDPX)", for: "QualCoder, NVivo, ATLAS.ti, MAXQDA: texts, cases, variables and coders." },
    zip: { name: "Files and tables (ZIP)", for: "PDFs, references that link to them, tables of included studies and excluded reports." },
    qdc: { name: "Code book (QDC)", for: "The one that an owner gave or that came back; empty until then. Tandem makes no codes." },
    rocrate: {
      name: "Proof of the review (RO-Crate)",
      for: "The audit trail, rules, flow and decisions, with a digest of each. For a repository, or a stranger who checks the numbers.",
    },
  },
  ownersOnly: "Owners only",
  goOn: "Coded project, codes and matrix",
  report: "Report of the methods",
  reportMore: "Lines that begin with “The team adds:” are left to you. Each number names the event that it comes from.",
  reportFormats: { docx: "Word (DOCX)", html: "HTML", md: "Markdown" },
  toAdd: (n: number) => `${count(n, "line is", "lines are")} left to the team`,
  preview: "Read it here",
  nearMisses: "Near misses",
  nearMissesMore:
    "PRISMA asks to cite reports that seemed to meet the criteria but were excluded, and to explain why. Say why, or strike one that is none.",
  noNearMisses: "No excluded report came near to being included.",
  because: {
    vote: "somebody would have kept it in",
    resolution: "an adjudicator excluded it",
    last_reason: "excluded for the last reason alone",
    listed: "an owner listed it",
  } satisfies Record<Schemas["Because"], string>,
  explanation: "Why it was excluded, for the reader",
  strike: "Strike it",
  download: "Download",
  of: (what: string, title: string) => `${what}: ${title}`,
};
