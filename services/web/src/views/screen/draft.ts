/** A note and labels that are written before the verdict is given. */
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Draft {
  note: string;
  labels: string[];
  open: "note" | "label" | null;
}

export const emptyDraft = (): Draft => ({ note: "", labels: [], open: null });

const key = (place: string) => `tandem.draft.${place}`;

function read(place: string | null): Draft {
  if (place === null) return emptyDraft();
  try {
    return { ...emptyDraft(), ...(JSON.parse(sessionStorage.getItem(key(place)) ?? "{}") as object) };
  } catch {
    return emptyDraft();
  }
}

/**
 * The draft for a record; it outlives a reload, and waits when the record is put off. `place` names
 * the review, the stage and the record: records of two reviews have the same numbers.
 */
export function useDraft(place: string | null): [Draft, (draft: Draft) => void] {
  const [draft, setDraft] = useState(() => read(place));
  useEffect(() => setDraft(read(place)), [place]);
  const change = useCallback(
    (next: Draft) => {
      setDraft(next);
      if (place === null) return;
      const isEmpty = next.note === "" && next.labels.length === 0;
      if (isEmpty) sessionStorage.removeItem(key(place));
      else sessionStorage.setItem(key(place), JSON.stringify({ ...next, open: null }));
    },
    [place],
  );
  return [draft, change];
}
