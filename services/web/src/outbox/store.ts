/** What has to survive a closed tab: entries to send, and records to read without a connection. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Schemas } from "../api/client";
import type { Entry, NotSent } from "./entries";

export type QueueItem = Schemas["QueueItemOut"];

export interface Kept {
  user: string;
  review: string;
  items: QueueItem[];
}

export type Failed = NotSent & { user: string };

interface Stores extends DBSchema {
  entries: { key: number; value: Entry; indexes: { key: string; user: string } };
  not_sent: { key: string; value: Failed; indexes: { user: string } };
  kept: { key: [string, string]; value: Kept };
}

export type Store = IDBPDatabase<Stores>;

export function open(name = "tandem"): Promise<Store> {
  return openDB<Stores>(name, 1, {
    upgrade(db) {
      const entries = db.createObjectStore("entries", { keyPath: "id", autoIncrement: true });
      entries.createIndex("key", "key", { unique: true });
      entries.createIndex("user", "user");
      db.createObjectStore("not_sent", { keyPath: "entry.key" }).createIndex("user", "user");
      db.createObjectStore("kept", { keyPath: ["user", "review"] });
    },
  });
}

/**
 * Writes the difference between two lists of entries, keeping each entry's place, and what was
 * refused for good: all of it or nothing.
 *
 * What is only added is handed over to the browser before this returns, and is kept although the
 * tab is closed or reloaded in the same instant.
 */
export async function save(
  db: Store,
  before: readonly Entry[],
  after: readonly Entry[],
  failed: readonly Failed[] = [],
): Promise<void> {
  const old = new Map(before.map((one) => [one.key, one]));
  const wanted = new Set(after.map((one) => one.key));
  const gone = before.filter((one) => !wanted.has(one.key));
  const put = after.filter((one) => old.get(one.key) !== one);
  if (gone.length + put.length + failed.length === 0) return;
  const isNew = (one: Entry) => one.id === undefined && !old.has(one.key);
  const work = db.transaction(["entries", "not_sent"], "readwrite", { durability: "strict" });
  const store = work.objectStore("entries");
  const placeOf = async (one: Entry) => one.id ?? (await store.index("key").getKey(one.key));
  const writing: Promise<unknown>[] = [work.done];
  try {
    for (const one of failed) writing.push(work.objectStore("not_sent").put(one));
    if (gone.length === 0 && put.every(isNew)) {
      for (const one of put) writing.push(store.add(one));
      work.commit();
    } else {
      for (const one of gone) {
        const id = await placeOf(one);
        if (id !== undefined) writing.push(store.delete(id));
      }
      for (const one of put) {
        const id = isNew(one) ? undefined : await placeOf(one);
        writing.push(store.put(id === undefined ? one : { ...one, id }));
      }
    }
  } catch (error) {
    work.abort();
    await Promise.allSettled(writing);
    throw error;
  }
  await Promise.all(writing);
}

/** How much a person has still to send or to look at, in all of their tabs. */
export async function nStored(db: Store, user: string): Promise<number> {
  return (await db.countFromIndex("entries", "user", user)) + (await db.countFromIndex("not_sent", "user", user));
}

/** Removes what is kept for a person; what others have still to send in this browser stays. */
export async function forgetAllOf(db: Store, user: string): Promise<void> {
  const work = db.transaction(["entries", "not_sent", "kept"], "readwrite");
  for (const name of ["entries", "not_sent"] as const) {
    const store = work.objectStore(name);
    for (const key of await store.index("user").getAllKeys(user)) await store.delete(key);
  }
  await work.objectStore("kept").delete(IDBKeyRange.bound([user], [user, []]));
  await work.done;
}
