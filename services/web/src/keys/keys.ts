/** Which key does what while screening. Single keys can be changed and switched off. */

export type Action =
  | "include"
  | "exclude"
  | "maybe"
  | "undo"
  | "note"
  | "label"
  | "later"
  | "highlights"
  | "criteria"
  | "help";

export type Preset = "tandem" | "rayyan" | "asreview" | "off";

const COMMON: Record<string, Action> = {
  z: "undo",
  backspace: "undo",
  n: "note",
  l: "label",
  s: "later",
  h: "highlights",
  c: "criteria",
  "?": "help",
};

export const PRESETS: Record<Preset, Readonly<Record<string, Action>>> = {
  tandem: { ...COMMON, a: "include", x: "exclude", m: "maybe" },
  rayyan: { ...COMMON, i: "include", e: "exclude", u: "maybe" },
  asreview: { ...COMMON, r: "include", i: "exclude", u: "maybe" },
  off: {},
};

export interface Pressed {
  key: string;
  repeat: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Returns what a key means, or the number of the reason that it excludes for. */
export function meaning(event: Pressed, preset: Preset): Action | number | null {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (preset !== "off" && /^[1-9]$/.test(event.key)) return Number(event.key);
  return PRESETS[preset][event.key.toLowerCase()] ?? null;
}

/** Returns the key to print on a button. */
export function keyFor(action: Action, preset: Preset): string | null {
  const found = Object.entries(PRESETS[preset]).find(([, does]) => does === action);
  return found === undefined ? null : found[0].toUpperCase();
}

/** Whether somebody is writing: then a letter is a letter. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=checkbox], [type=radio], [type=button])");
}
