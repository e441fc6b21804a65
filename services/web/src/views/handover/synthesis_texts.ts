import { count } from "../../texts/format";
import type { Schemas } from "../../api/client";

export const synthesisTexts = {
  title: "Coded project",
  lead: "Code the handed-over project in your tool, then send it back here: Tandem shows which passages of which study each construct rests on. It invents, names and ranks none.",
  back: "Hand over",
  send: "Send a coded project (QDPX)",
  sending: (percent: number) => `Sending, ${percent} %`,
  none: "No coded project came back yet",
  noneMore: "Download the coding project under “Hand over”, code it in QualCoder, NVivo, ATLAS.ti or MAXQDA, and export it as QDPX.",
  projects: "Projects that came back",
  coders: (names: string) => `coded by ${names}`,
  passages: (kept: number, moved: number, lost: number) =>
    `${count(kept, "passage was", "passages were")} kept, ${moved} moved, ${lost} lost`,
  counts: "counted in the matrix",
  replaced: "replaced by a newer one",
  takeBack: "Take back",
  of: (what: string, name: string) => `${what}: ${name}`,
  takeBackTitle: (name: string) => `Take ${name} back?`,
  takeBackEffects: ["Its codes and passages leave the matrix.", "It can be sent again. The log keeps that it was here."],
  codes: "Which codes are constructs?",
  codesMore: "Mark what your synthesis calls a theme or a construct. The matrix shows constructs first.",
  kinds: { "": "A code", theme: "A theme", construct: "A construct" } satisfies Record<"" | Schemas["CodeKind"], string>,
  n: (n: number) => count(n, "passage", "passages"),
  matrix: "What rests on what",
  rows: "Rows",
  rowsOf: { constructs: "Constructs", themes: "Themes", codes: "All codes" } satisfies Record<Schemas["RowsOf"], string>,
  csv: "Download as CSV",
  study: "Study",
  noRows: "Nothing is marked as this yet. Mark codes above, or show all codes.",
  feedsNone: (names: string) => `These studies feed none of them: ${names}`,
  all: "Each study feeds at least one of them.",
};
