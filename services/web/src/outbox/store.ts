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

interface Stores extends DBSchema {
  entries: { key: number; value: Entry; indexes: { key: string; user: string } };
  not_sent: { key: string; value: NotSent & { user: string }; indexes: { user: string } };
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
 * Writes the difference between two lists of entries, keeping each entry's place.
 *
 * What is only added is handed over to the browser before this returns, and is kept although the
 * tab is closed or reloaded in the same instant.
 */
export async function save(db: Store, before: readonly Entry[], after: readonly Entry[]): Promise<void> {
  const old = new Map(before.map((one) => [one.key, one]));
  const wanted = new Set(after.map((one) => one.key));
  const gone = before.filter((one) => !wanted.has(one.key));
  const put = after.filter((one) => old.get(one.key) !== one);
  if (gone.length + put.length === 0) return;
  const isNew = (one: Entry) => one.id === undefined && !old.has(one.key);
  const work = db.transaction("entries", "readwrite", { durability: "strict" });
  if (gone.length === 0 && put.every(isNew)) {
    const adding = put.map((one) => work.store.add(one));
    work.commit();
    await Promise.all(adding);
  } else {
    const placeOf = async (one: Entry) => one.id ?? (await work.store.index("key").getKey(one.key));
    for (const one of gone) {
      const id = await placeOf(one);
      if (id !== undefined) await work.store.delete(id);
    }
    for (const one of put) {
      const id = isNew(one) ? undefined : await placeOf(one);
      await work.store.put(id === undefined ? one : { ...one, id });
    }
  }
  await work.done;
}
