/** A person's preferences: kept by the server, and here so that the first picture has them. */
import { api, data } from "../api/client";
import type { Me } from "../api/queries";
import { DEFAULTS, type Preferences } from "./context";

const KEY = "tandem.preferences";
const PART = "page";

export function remembered(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as object) };
  } catch {
    return DEFAULTS;
  }
}

export function of(me: Me): Preferences {
  const part: unknown = me.preferences[PART];
  return { ...DEFAULTS, ...(typeof part === "object" && part !== null ? part : {}) };
}

export function applied(preferences: Preferences): void {
  const root = document.documentElement;
  if (preferences.theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = preferences.theme;
  root.style.setProperty("--text-scale", String(preferences.text / 100));
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A browser that keeps nothing: the server has them.
  }
}

export async function stored(me: Me, preferences: Preferences): Promise<Me> {
  const body = { preferences: { ...me.preferences, [PART]: preferences } };
  return data(api.PATCH("/api/v1/me", { body }));
}
