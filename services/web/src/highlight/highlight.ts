/** Which parts of a text the words of a team or a person are found in. */

export type Tone = "for" | "against" | "why";

export interface Words {
  for: readonly string[];
  against: readonly string[];
  why?: readonly string[];
}

export interface Part {
  text: string;
  tone: Tone | null;
}

const ESCAPED = /[.*+?^${}()|[\]\\]/g;

/** Makes one pattern of all words, the longest first; null where there is none. */
export function pattern(words: Words): { find: RegExp; tones: Map<string, Tone>; stems: [string, Tone][] } | null {
  const tones = new Map<string, Tone>();
  const stems: [string, Tone][] = [];
  const alternatives: string[] = [];
  const all = (["why", "for", "against"] as const).flatMap((tone) =>
    (words[tone] ?? []).map((word) => [word.trim().toLowerCase(), tone] as const),
  );
  for (const [word, tone] of all.toSorted((a, b) => b[0].length - a[0].length)) {
    const stem = word.replace(/\*+$/, "");
    if (stem === "") continue;
    const wild = stem !== word;
    alternatives.push(stem.replace(ESCAPED, "\\$&").replace(/\s+/g, "\\s+") + (wild ? "[\\p{L}\\p{N}]*" : ""));
    if (wild) stems.push([stem, tone]);
    else tones.set(stem.replace(/\s+/g, " "), tone);
  }
  if (alternatives.length === 0) return null;
  const find = new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  return { find, tones, stems };
}

/** Cuts a text into parts; joined they are the text again. */
export function parts(text: string, made: ReturnType<typeof pattern>): Part[] {
  if (made === null || text === "") return [{ text, tone: null }];
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(made.find)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), tone: null });
    const word = match[0].toLowerCase().replace(/\s+/g, " ");
    const tone = made.tones.get(word) ?? made.stems.find(([stem]) => word.startsWith(stem))?.[1] ?? "why";
    found.push({ text: match[0], tone });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), tone: null });
  return found;
}

const HEADING = /(^|[.!?\])]\s+)([A-Z][A-Za-z/&-]*(?:,? [A-Za-z/&-]+){0,4}):\s+/g;
const KNOWN =
  /^(aims?|background|conclusions?|context|data|design|discussion|ethics|evaluation|findings|implications|interpretation|interventions?|introduction|limitations?|main|materials?|measures?|methods?|methodology|objectives?|outcomes?|participants?|patients?|purpose|rationale|results?|sample|setting|significance|study|subjects|summary|trial)\b/i;

export interface Section {
  heading: string | null;
  text: string;
}

/** Cuts a structured abstract at its headings (BACKGROUND: … METHODS: …). */
export function sections(abstract: string): Section[] {
  const found: Section[] = [];
  let heading: string | null = null;
  let begin = 0;
  for (const match of abstract.matchAll(HEADING)) {
    const name = match[2] ?? "";
    if (!KNOWN.test(name)) continue;
    const at = match.index + (match[1] ?? "").length;
    const text = abstract.slice(begin, at).trim();
    if (text !== "" || heading !== null) found.push({ heading, text });
    heading = name;
    begin = match.index + match[0].length;
  }
  const rest = abstract.slice(begin).trim();
  if (rest !== "" || heading !== null) found.push({ heading, text: rest });
  return found;
}
