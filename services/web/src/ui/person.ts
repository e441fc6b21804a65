import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { api, newKey } from "../api/client";
import { type Me, queries } from "../api/queries";
import { Outbox } from "../outbox/outbox";
import { forgetAllOf, nStored, open, type Store } from "../outbox/store";
import { texts } from "../texts/en";
import type { Person, Preferences } from "./context";
import { remember } from "./last_person";
import { applied, of, stored } from "./preferences";

const TAB = newKey();

/** Opens what is kept for a person in this browser; null until that is done. */
export function usePersonOf(me: Me): Person | null {
  const [kept, setKept] = useState<{ outbox: Outbox; db: Store | null } | null>(null);
  const [preferences, setPreferences] = useState(() => of(me));
  useEffect(() => {
    let gone = false;
    void prepare(me.id).then((found) => !gone && setKept(found));
    remember(me);
    applied(preferences);
    return () => {
      gone = true;
    };
  }, [me.id]);
  const outbox = kept?.outbox ?? null;
  useEffect(() => (outbox ? leaving(outbox) : undefined), [outbox]);
  const prefer = useCallback(
    (change: Partial<Preferences>) => {
      const next = { ...preferences, ...change };
      setPreferences(next);
      applied(next);
      const known = queries.getQueryData<Me>(["me"]) ?? me;
      stored(known, next).then(
        (answer) => queries.setQueryData(["me"], answer),
        // They hold in this browser; the next change is sent with them.
        () => undefined,
      );
    },
    [preferences, me],
  );
  return useMemo(
    () => kept && { me, ...kept, preferences, prefer, signOut: () => void signOut(kept.outbox, kept.db) },
    [me, kept, preferences, prefer],
  );
}

async function prepare(user: string): Promise<{ outbox: Outbox; db: Store | null }> {
  // Some browsers keep nothing in private windows: then the tab is the only place.
  const db = await open().catch(() => null);
  const outbox = new Outbox(user, TAB, db);
  hold();
  const alive = await livingTabs();
  const others = await outbox.load((tab) => alive.has(tab));
  for (const tab of others) {
    // It is ours once that tab is closed; after a reload that is a moment later.
    void navigator.locks.request(lockOf(tab), async () => {
      const alive = await livingTabs();
      await outbox.load((one) => one !== tab && alive.has(one));
    });
  }
  return { outbox, db };
}

const lockOf = (tab: string) => `tandem-tab-${tab}`;

/** Tabs hold a lock while they live; what they have to send is theirs. On plain http there are none. */
function hold(): void {
  if ("locks" in navigator) void navigator.locks.request(lockOf(TAB), () => new Promise<never>(() => {}));
}

async function livingTabs(): Promise<Set<string>> {
  if (!("locks" in navigator)) return new Set();
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map((one) => (one.name ?? "").slice(lockOf("").length)));
}

function leaving(outbox: Outbox): () => void {
  const leave = () => outbox.leave();
  const back = () => void outbox.flush();
  const hidden = () => document.visibilityState === "hidden" && void outbox.flush();
  const ask = (event: BeforeUnloadEvent) => {
    if (!outbox.isStored && outbox.entries.length + outbox.notSent.length > 0) event.preventDefault();
  };
  addEventListener("beforeunload", ask);
  addEventListener("pagehide", leave);
  addEventListener("online", back);
  document.addEventListener("visibilitychange", hidden);
  return () => {
    removeEventListener("beforeunload", ask);
    removeEventListener("pagehide", leave);
    removeEventListener("online", back);
    document.removeEventListener("visibilitychange", hidden);
  };
}

async function signOut(outbox: Outbox, db: Store | null): Promise<void> {
  await outbox.flush();
  await outbox.stored();
  const here = outbox.entries.length + outbox.notSent.length;
  const unsent = Math.max(here, db === null ? 0 : await nStored(db, outbox.user));
  if (unsent > 0 && !confirm(texts.signIn.outUnsent(unsent))) return;
  await api.POST("/api/v1/auth/logout").catch(() => undefined);
  outbox.giveUp();
  if (db !== null) await forgetAllOf(db, outbox.user);
  for (const kept of [localStorage, sessionStorage]) {
    for (const key of Object.keys(kept)) if (key.startsWith("tandem.")) kept.removeItem(key);
  }
  location.assign(new URL(document.querySelector<HTMLMetaElement>('meta[name="tandem-path"]')?.content ?? "/", location.href));
}
