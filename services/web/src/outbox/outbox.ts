/**
 * Decisions on their way to the server: shown at once, kept in the browser, sent in order.
 *
 * The newest waits for the next one, or five seconds. Undo within that leaves no trace anywhere.
 */
import { newKey } from "../api/client";
import {
  added,
  arrived,
  changed,
  dropped,
  type Entry,
  type Judgement,
  lastOn,
  marked,
  type NotSent,
  refused,
  type Stage,
} from "./entries";
import { type Outcome, send, sendMany } from "./sending";
import { type Failed, save, type Store } from "./store";

export const WAIT_MS = 5000;
const MANY = 20;
const LARGEST_BATCH = 100;
const SLOWEST_S = 60;

export interface Transport {
  send(entry: Entry, keepalive?: boolean): Promise<Outcome>;
  sendMany(entries: readonly Entry[]): Promise<Outcome[]>;
}

export type OutboxState = "saved" | "saving" | "offline" | "signed_out";

export interface Arrival {
  entry: Entry;
  decision: string | null;
  remaining: number | null;
}

export class Outbox {
  entries: readonly Entry[] = [];
  notSent: readonly NotSent[] = [];
  state: OutboxState = "saved";
  private held: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private inFlight: Promise<void> | null = null;
  private saving: Promise<unknown> = Promise.resolve();
  private couldNotStore = false;
  private readonly listeners = new Set<() => void>();
  private readonly arrivals = new Set<(arrival: Arrival) => void>();

  constructor(
    readonly user: string,
    readonly tab: string,
    private readonly db: Store | null,
    private readonly transport: Transport = { send, sendMany },
  ) {}

  /** Takes over what closed tabs have left, and sends it; returns the tabs that it left alone. */
  async load(isAlive: (tab: string) => boolean): Promise<Set<string>> {
    if (this.db === null) return new Set();
    const refused = await this.db.getAllFromIndex("not_sent", "user", this.user);
    const found = await this.db.getAllFromIndex("entries", "user", this.user);
    // From here without a pause: another tab's end may have this called twice at once.
    const others = found.filter((one) => !this.has(one.key)).map(withStage);
    const left = others.filter((one) => !isAlive(one.tab));
    const mine = left.map((one) => ({ ...one, tab: this.tab }));
    const known = new Set(this.notSent.map((one) => one.entry.key));
    const before = refused.filter((one) => !known.has(one.entry.key));
    this.notSent = [...before.map((one) => ({ ...one, entry: withStage(one.entry) })), ...this.notSent];
    if (mine.length > 0) {
      this.set([...mine, ...this.entries]);
      void this.run();
    } else this.changed();
    return new Set(others.filter((one) => isAlive(one.tab)).map((one) => one.tab));
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onArrival(listener: (arrival: Arrival) => void): () => void {
    this.arrivals.add(listener);
    return () => this.arrivals.delete(listener);
  }

  /** Keeps what was decided, and lets all that was decided before it go. */
  add(what: {
    review: string;
    record: string;
    stage: Stage;
    title: string;
    kind: Entry["kind"];
    judgement: Judgement | null;
    basis: string | null;
  }): string {
    const entry: Entry = {
      ...what,
      key: newKey(),
      user: this.user,
      made_at: new Date().toISOString(),
      after: null,
      tried: false,
      tab: this.tab,
    };
    this.set(added(this.entries, entry));
    this.hold(entry.key);
    return entry.key;
  }

  /** Forgets an entry that was never sent, or was refused; false if it may have arrived. */
  drop(key: string): boolean {
    const back = this.notSent.find((one) => one.entry.key === key)?.entry;
    // Where something waits on the record, for one because it is sent again, that is what is undone.
    if (back !== undefined && this.waitingFor(back.review, back.record, back.stage) === undefined) {
      void this.forget(key);
      return true;
    }
    const left = dropped(this.entries, key);
    if (left === null) return false;
    if (this.held === key) this.release();
    this.set(left);
    return true;
  }

  /** Whether the browser keeps what waits when this tab is closed. */
  get isStored(): boolean {
    return this.db !== null && !this.couldNotStore;
  }

  /** Whether an entry still waits here. */
  has(key: string): boolean {
    return this.entries.some((one) => one.key === key);
  }

  waitingFor(review: string, record: string, stage: Stage): Entry | undefined {
    return lastOn(this.entries, review, record, stage);
  }

  /** Sends all that waits, the newest too. */
  flush(): Promise<void> {
    this.release();
    clearTimeout(this.retry);
    this.retry = undefined;
    return this.run();
  }

  /** The tab is going away: what waits is stored, and sent if the browser still can. */
  leave(): void {
    this.release();
    // The limit of what a browser sends for a page that is gone is 64 kB.
    const last = this.entries.filter((one) => one.after === null && !one.tried).slice(0, MANY);
    this.set(marked(this.entries, new Set(last.map((one) => one.key))));
    for (const entry of last) void this.transport.send(entry, true);
  }

  /** Gives up what waits: its person signs out, and has said so. */
  giveUp(): void {
    this.release();
    clearTimeout(this.retry);
    this.entries = [];
    this.notSent = [];
  }

  async forget(key: string): Promise<void> {
    this.notSent = this.notSent.filter((one) => one.entry.key !== key);
    await this.db?.delete("not_sent", key);
    this.changed();
  }

  /** Sends once more what was refused, on top of what stands now. */
  async again(key: string, basis: string | null): Promise<void> {
    const found = this.notSent.find((one) => one.entry.key === key);
    if (found === undefined) return;
    const { review, record, stage, title, kind, judgement } = found.entry;
    this.add({ review, record, stage, title, kind, judgement, basis });
    await this.saving;
    if (this.isStored || this.db === null) await this.forget(key);
    await this.flush();
  }

  /** Resolves once all that has happened so far is stored. */
  async stored(): Promise<void> {
    await this.saving;
  }

  private hold(key: string): void {
    this.release();
    this.held = key;
    this.timer = setTimeout(() => void this.flush(), WAIT_MS);
    void this.run();
  }

  private release(): void {
    clearTimeout(this.timer);
    this.held = null;
  }

  private run(): Promise<void> {
    this.inFlight ??= this.work().finally(() => {
      this.inFlight = null;
      this.settle();
      // Something may have been added while the last answer was looked at.
      if (this.retry === undefined && this.next().length > 0) void this.run();
    });
    return this.inFlight;
  }

  private async work(): Promise<void> {
    await Promise.resolve();
    while (this.retry === undefined) {
      const batch = this.next();
      if (batch.length === 0) return;
      const keys = new Set(batch.map((one) => one.key));
      this.set(marked(this.entries, keys, batch.length > 1 ? newKey() : undefined));
      this.settle();
      await this.saving;
      const sent = this.entries.filter((one) => keys.has(one.key));
      const [first] = sent;
      if (first === undefined) continue;
      const outcomes =
        first.batch === undefined ? [await this.transport.send(first)] : await this.transport.sendMany(sent);
      this.takeAll(sent, outcomes);
    }
  }

  /** What goes out next: one entry, or many of one review that do not hang on each other. */
  private next(): Entry[] {
    const ready = this.entries.filter((one) => one.key !== this.held);
    const isFree = (one: Entry) => one.after === null || !this.has(one.after);
    const first = ready.find(isFree);
    if (first === undefined) return [];
    // What may have arrived goes again as it went: the server answers it as the first time.
    if (first.batch !== undefined) return ready.filter((one) => one.batch === first.batch);
    if (first.tried || ready.length <= MANY || first.kind === "later") return [first];
    const batch: Entry[] = [];
    for (const one of ready.slice(ready.indexOf(first))) {
      const fits = one.review === first.review && one.kind !== "later" && isFree(one) && !one.tried;
      if (!fits || batch.length === LARGEST_BATCH) break;
      batch.push(one);
    }
    return batch;
  }

  /** Takes the answers to one request; what they change is written at once. */
  private takeAll(batch: readonly Entry[], outcomes: readonly Outcome[]): void {
    let { entries } = this;
    const failed: Failed[] = [];
    const came: Arrival[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      const entry = batch[at] as Entry;
      if (outcome.kind === "arrived") {
        this.failures = 0;
        entries = arrived(entries, entry.key, outcome.decision);
        came.push({ entry, decision: outcome.decision, remaining: outcome.remaining });
      } else if (outcome.kind === "changed") {
        entries = changed(entries, entry, outcome.entry, outcome.entry.key || newKey());
      } else if (outcome.kind === "refused") {
        const { code, detail } = outcome.problem;
        failed.push({ entry, code, detail, user: this.user });
        entries = refused(entries, entry.key);
      } else {
        this.wait(outcome);
      }
    }
    if (outcomes.some((one) => one.kind !== "wait" && one.kind !== "signed_out")) {
      const keys = new Set(batch.map((one) => one.key));
      entries = entries.map((one) => (keys.has(one.key) ? { ...one, batch: undefined } : one));
    }
    this.notSent = [...this.notSent, ...failed];
    this.set(entries, failed);
    for (const arrival of came) for (const listener of this.arrivals) listener(arrival);
  }

  private wait(outcome: Extract<Outcome, { kind: "wait" | "signed_out" }>): void {
    if (this.retry !== undefined) return;
    this.failures += 1;
    const signedOut = outcome.kind === "signed_out";
    const asked = signedOut ? SLOWEST_S : outcome.seconds;
    const seconds = asked ?? Math.min(SLOWEST_S, 2 ** (this.failures - 1));
    this.retry = setTimeout(() => void this.flush(), 1000 * seconds);
    this.state = signedOut ? "signed_out" : "offline";
    this.changed();
  }

  private settle(): void {
    if (this.retry !== undefined) return;
    this.state = this.entries.length > 0 ? "saving" : "saved";
    this.changed();
  }

  private set(entries: readonly Entry[], failed: readonly Failed[] = []): void {
    const before = this.entries;
    this.entries = entries;
    const db = this.db;
    // The browser writes in the order in which the writing began: nothing waits here, so what is
    // decided is handed over before the tab can go away.
    if (db !== null) this.store(save(db, before, entries, failed));
    this.changed();
  }

  private store(work: Promise<unknown>): void {
    const kept = work.catch((error: unknown) => {
      // A full disk, or a browser that refuses: the decisions are sent all the same.
      console.warn("what waits could not be stored", error);
      this.couldNotStore = true;
      this.changed();
    });
    this.saving = Promise.all([this.saving, kept]).then(() => undefined);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

/** What an earlier version of the page has stored knew of one stage only. */
function withStage<E extends Entry>(entry: E): E {
  return { ...entry, stage: (entry as Partial<Entry>).stage ?? "title_abstract" };
}
