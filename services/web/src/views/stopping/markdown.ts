/** The little Markdown that the API's texts to print are made of, as blocks. */
export type Block =
  | { kind: "heading" | "paragraph"; text: string }
  | { kind: "list"; items: string[] }
  | { kind: "table"; rows: string[][] };

export interface Span {
  kind: "plain" | "strong" | "code";
  text: string;
}

export function blocks(text: string): Block[] {
  return text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map(block);
}

function block(part: string): Block {
  const lines = part.split("\n");
  if (part.startsWith("#")) return { kind: "heading", text: part.replace(/^#+\s*/, "") };
  if (lines.every((line) => line.startsWith("- "))) return { kind: "list", items: lines.map((line) => line.slice(2)) };
  if (lines.every((line) => line.startsWith("|"))) {
    const rows = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    return { kind: "table", rows: rows.filter((row) => row.some((cell) => !/^-*$/.test(cell))) };
  }
  return { kind: "paragraph", text: lines.join(" ") };
}

export function spans(text: string): Span[] {
  return text
    .split(/(\*\*[^*]+\*\*|`[^`]+`)/)
    .filter(Boolean)
    .map((part) => {
      if (part.startsWith("**") && part.endsWith("**")) return { kind: "strong", text: part.slice(2, -2) };
      if (part.startsWith("`") && part.endsWith("`")) return { kind: "code", text: part.slice(1, -1) };
      return { kind: "plain", text: part };
    });
}
