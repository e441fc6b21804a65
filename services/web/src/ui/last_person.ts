/** Who was signed in last in this browser: so that screening can begin without a connection. */
import type { Me } from "../api/queries";

const KEY = "tandem.me";

export function lastPerson(): Me | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Me | null;
  } catch {
    return null;
  }
}

export function remember(me: Me | null): void {
  try {
    if (me === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(me));
  } catch {
    // A browser that keeps nothing cannot be used without a connection.
  }
}
