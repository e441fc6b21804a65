import { useEffect, useState } from "preact/hooks";
import { useLocation, useSearch } from "wouter-preact";

const TYPING_MS = 300;

type Change<Name extends string> = (what: Partial<Record<Name, string>>, how?: { replace: boolean }) => void;

/**
 * What a list is narrowed to. It stands in the address, so links lead to it and the back button works.
 *
 * An empty value takes a filter away. What else stands in the address is left alone.
 */
export function useFilters<Name extends string>(names: readonly Name[]): [Partial<Record<Name, string>>, Change<Name>] {
  const search = useSearch();
  const [path, go] = useLocation();
  const asked = new URLSearchParams(search);
  const now: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = asked.get(name);
    if (value !== null && value !== "") now[name] = value;
  }
  const change: Change<Name> = (what, { replace } = { replace: false }) => {
    const next = new URLSearchParams(search);
    for (const [name, value] of Object.entries(what) as [Name, string][]) {
      if (value === "") next.delete(name);
      else next.set(name, value);
    }
    go(withQuery(path, next), { replace });
  };
  return [now, change];
}

export function withQuery(path: string, asked: URLSearchParams | string): string {
  const query = asked.toString();
  return query === "" ? path : `${path}?${query}`;
}

/** What is typed into a search field, and reaches the address once nobody has typed for a moment. */
export function useTyped(now: string, change: (q: string) => void): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(now);
  // The back button changes the address, and with it what the field shows.
  useEffect(() => setTyped((shown) => (shown.trim() === now ? shown : now)), [now]);
  useEffect(() => {
    if (typed.trim() === now) return;
    const timer = setTimeout(() => change(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}

/** What the list of records of each review was last narrowed to: the way back from a record leads there. */
export const lastSearch = new Map<string, string>();
