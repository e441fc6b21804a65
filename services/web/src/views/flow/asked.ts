/** What the address of a number says: the search, and the part of a box. */
export function query(wave: number | null, part?: string): string {
  const asked = new URLSearchParams();
  if (wave !== null) asked.set("wave", `${wave}`);
  if (part !== undefined) asked.set("part", part);
  return asked.toString();
}
