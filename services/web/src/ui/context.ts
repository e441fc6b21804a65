import { createContext } from "preact";
import { useCallback, useContext } from "preact/hooks";
import type { Me } from "../api/queries";
import type { Outbox } from "../outbox/outbox";
import type { Store } from "../outbox/store";
import { useListening } from "./hooks";

/** Who is signed in, and what is kept for them in this browser. */
export interface Person {
  me: Me;
  outbox: Outbox;
  db: Store | null;
  /** Saves a part of the person's preferences, and shows it at once. */
  prefer: (change: Partial<Preferences>) => void;
  preferences: Preferences;
  signOut: () => void;
}

export interface Preferences {
  theme: "system" | "light" | "dark";
  /** Text size in per cent. */
  text: number;
  keys: "tandem" | "rayyan" | "asreview" | "off";
  highlights: "off" | "own" | "all";
  wordsFor: string[];
  wordsAgainst: string[];
  pauses: boolean;
}

export const DEFAULTS: Preferences = {
  theme: "system",
  text: 100,
  keys: "tandem",
  highlights: "all",
  wordsFor: [],
  wordsAgainst: [],
  pauses: true,
};

export const PersonContext = createContext<Person | null>(null);

export function usePerson(): Person {
  const found = useContext(PersonContext);
  if (found === null) throw new Error("only for somebody who is signed in");
  return found;
}

/** The outbox; the component is drawn again whenever something in it changes. */
export function useOutbox(): Outbox {
  const { outbox } = usePerson();
  useListening(useCallback((draw: () => void) => outbox.listen(draw), [outbox]));
  return outbox;
}
