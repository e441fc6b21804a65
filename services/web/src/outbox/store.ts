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
  entries: { key: number; value: Entry & { id?: number }; indexes: { key: string; user: string } };
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

/** Writes the difference between two lists of entries, keeping each entry's place. */
export async function save(db: Store, before: readonly Entry[], after: readonly Entry[]) {
  const old = new Map(before.map((one) => [one.key, one]));
  const wanted = new Set(after.map((one) => one.key));
  const work = db.transaction("entries", "readwrite");
  for (const one of before) {
    if (wanted.has(one.key)) continue;
    const id = await work.store.index("key").getKey(one.key);
    if (id !== undefined) await work.store.delete(id);
  }
  for (const one of after) {
    if (old.get(one.key) === one) continue;
    const id = await work.store.index("key").getKey(one.key);
    await work.store.put(id === undefined ? one : { ...one, id });
  }
  await work.done;
}
