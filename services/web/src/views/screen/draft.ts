/** A note and labels that are written before the verdict is given. */
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Draft {
  note: string;
  labels: string[];
  open: "note" | "label" | null;
}

export const emptyDraft = (): Draft => ({ note: "", labels: [], open: null });

const key = (record: string) => `tandem.draft.${record}`;

function read(record: string | null): Draft {
  if (record === null) return emptyDraft();
  try {
    return { ...emptyDraft(), ...(JSON.parse(sessionStorage.getItem(key(record)) ?? "{}") as object) };
  } catch {
    return emptyDraft();
  }
}

/** The draft for a record; it outlives a reload, and waits when the record is put off. */
export function useDraft(record: string | null): [Draft, (draft: Draft) => void] {
  const [draft, setDraft] = useState(() => read(record));
  useEffect(() => setDraft(read(record)), [record]);
  const change = useCallback(
    (next: Draft) => {
      setDraft(next);
      if (record === null) return;
      const isEmpty = next.note === "" && next.labels.length === 0;
      if (isEmpty) sessionStorage.removeItem(key(record));
      else sessionStorage.setItem(key(record), JSON.stringify({ ...next, open: null }));
    },
    [record],
  );
  return [draft, change];
}
