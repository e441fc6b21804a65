import type { Schemas } from "../../api/client";

/** Whether any record was found, by whatever way; those of an earlier version are no find of this one. */
export function hasFound(boxes: Schemas["PrismaOut"]["boxes"]): boolean {
  return Object.entries(boxes).some(([key, { n }]) => key.endsWith("_results") && n > 0);
}

/** What the address of a number says: the search, and the part of a box. */
export function query(wave: number | null, part?: string): string {
  const asked = new URLSearchParams();
  if (wave !== null) asked.set("wave", `${wave}`);
  if (part !== undefined) asked.set("part", part);
  return asked.toString();
}
