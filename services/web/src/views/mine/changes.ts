/** What each version of the criteria has changed in the one before it. */
import type { Schemas } from "../../api/client";

type Version = Schemas["CriteriaVersionOut"];
type Sides = Pick<Version, "include" | "exclude">;
export type Changed = Pick<Version, "version" | "created_by_name" | "created_at" | "note"> & { added: Sides; gone: Sides };

/** Takes versions as the server lists them, the newest first; the first of all has changed nothing. */
export function changes(versions: readonly Version[]): Changed[] {
  return versions.slice(0, -1).map((now, at) => {
    const before = versions[at + 1] as Version;
    const { version, created_by_name, created_at, note } = now;
    return { version, created_by_name, created_at, note, added: without(now, before), gone: without(before, now) };
  });
}

function without(these: Sides, those: Sides): Sides {
  return {
    include: these.include.filter((text) => !those.include.includes(text)),
    exclude: these.exclude.filter((text) => !those.exclude.includes(text)),
  };
}
