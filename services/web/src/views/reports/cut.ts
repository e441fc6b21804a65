/** Cuts a text where passages begin and end. */
import type { Schemas } from "../../api/client";

type Passage = Pick<Schemas["PassageOut"], "start" | "end">;

export interface Piece<P> {
  start: number;
  text: string;
  passage: P | null;
}

/**
 * Returns the pieces of a text in order; joined they are the text.
 *
 * Positions count code points, as the API does, not the units of a string here. A passage that
 * overlaps the one before it is left out.
 */
export function cut<P extends Passage>(text: string, passages: readonly P[]): Piece<P>[] {
  const points = passages.length > 0 ? Array.from(text) : [];
  const slice = (from: number, to: number) => points.slice(from, to).join("");
  const found: Piece<P>[] = [];
  let end = 0;
  for (const one of passages) {
    if (one.start < end) continue;
    if (one.start > end) found.push({ start: end, text: slice(end, one.start), passage: null });
    found.push({ start: one.start, text: slice(one.start, one.end), passage: one });
    end = one.end;
  }
  const rest = passages.length > 0 ? slice(end, points.length) : text;
  if (rest !== "") found.push({ start: end, text: rest, passage: null });
  return found;
}
