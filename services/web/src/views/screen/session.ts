/**
 * One person's screening of one review: the records that are next, what was just decided, undo.
 *
 * Nothing here waits for the server: deciding changes what is shown at once, and the outbox does
 * the rest.
 */
import { api, data, inReview, type Schemas } from "../../api/client";
import type { Judgement, Stage } from "../../outbox/entries";
import type { Outbox } from "../../outbox/outbox";
import type { QueueItem, Store } from "../../outbox/store";

const AHEAD = 10;
const REFILL_BELOW = 5;
const MOST = 500;
/** How many are asked for ahead at full text: each is read for minutes, and held for half an hour. */
const AHEAD_AT_FULL_TEXT = 2;
/** A second press within this time after a record appeared was meant for the one before. */
export const SLIP_MS = 250;

export type QueueOut = Schemas["QueueOut"];
type Ask = (limit: number) => Promise<QueueOut>;

interface Step {
  item: QueueItem;
  key: string;
  kind: "decide" | "later";
}

export interface Said {
  /** For screen readers, and under the title. */
  what: "decided" | "undone" | "later" | "undo_first";
  verdict?: Schemas["Verdict"];
}

export class Session {
  items: QueueItem[] = [];
  queue: QueueOut | null = null;
  error: unknown = null;
  said: Said | null = null;
  fromStore = false;
  private steps: Step[] = [];
  private shownAt = 0;
  private filling: Promise<void> | null = null;
  private nArrived = 0;
  /** Whether the queue was counted while something arrived, so nobody knows if that is in it. */
  private isInDoubt = false;
  private readonly listeners = new Set<() => void>();
  /** Sent while an answer of the queue was on its way, which may still name them. */
  private recent = new Set<string>();

  constructor(
    readonly review: string,
    readonly outbox: Outbox,
    private readonly db: Store | null,
    private readonly ask: Ask = (limit) => askQueue(review, limit, stage),
    private readonly clock: () => number = () => performance.now(),
    readonly stage: Stage = "title_abstract",
  ) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get current(): QueueItem | undefined {
    return this.items[0];
  }

  /** How many are left to decide, as far as is known: what waits here is not counted again. */
  get remaining(): number | null {
    if (this.queue === null) return this.fromStore ? this.items.length : null;
    return Math.max(this.queue.remaining, this.items.length);
  }

  get decided(): number {
    return this.queue?.workload.decided ?? 0;
  }

  get canUndo(): boolean {
    return this.steps.length > 0;
  }

  async start(): Promise<void> {
    await this.fill();
    if (this.queue === null && this.db !== null) {
      const kept = await this.db.get("kept", [this.outbox.user, this.keptAs]);
      if (kept !== undefined && this.items.length === 0) {
        this.items = kept.items.filter((one) => this.isFree(one.record.id));
        this.fromStore = true;
        this.shown();
      }
    }
  }

  /** Asks for the next records, and renews the hold on those that are here. */
  fill(ahead = this.ahead): Promise<void> {
    this.filling ??= this.refill(ahead).finally(() => {
      this.filling = null;
      this.changed();
    });
    return this.filling;
  }

  decide(judgement: Omit<Judgement, "seconds">): boolean {
    const item = this.current;
    if (item === undefined || this.isSlip()) return false;
    const seconds = Math.round((this.clock() - this.shownAt) / 100) / 10;
    const key = this.outbox.add({
      review: this.review,
      record: item.record.id,
      stage: this.stage,
      title: item.record.title,
      kind: "decide",
      judgement: { ...judgement, seconds: Math.min(seconds, 3600) },
      basis: item.record.my_decision?.id ?? null,
    });
    this.count(-1);
    this.step({ item, key, kind: "decide" }, { what: "decided", verdict: judgement.verdict });
    return true;
  }

  later(): boolean {
    const item = this.current;
    if (item === undefined || this.isSlip()) return false;
    const { id, title } = item.record;
    const what = { review: this.review, record: id, stage: this.stage, title, kind: "later" as const };
    const key = this.outbox.add({ ...what, judgement: null, basis: null });
    this.step({ item, key, kind: "later" }, { what: "later" });
    return true;
  }

  /** Takes back the last step, and the one before it when asked again. */
  undo(): boolean {
    const last = this.steps.pop();
    if (last === undefined) return false;
    const { record } = last.item;
    if (!this.outbox.drop(last.key) && last.kind === "decide") {
      this.outbox.add({
        review: this.review,
        record: record.id,
        stage: this.stage,
        title: record.title,
        kind: "withdraw",
        judgement: null,
        basis: this.basisOf.get(last.key) ?? null,
      });
    }
    if (last.kind === "decide") this.count(+1);
    this.recent.delete(record.id);
    const mine = null;
    this.items = [{ ...last.item, record: { ...record, my_decision: mine } }, ...this.items];
    this.said = { what: "undone" };
    this.shown();
    return true;
  }

  private readonly basisOf = new Map<string, string>();

  /** Notes which decision an entry became; an undo that comes later is about that one. */
  took(key: string, decision: string | null): void {
    this.nArrived += 1;
    if (decision !== null) this.basisOf.set(key, decision);
    if (this.unsent().length === 0) void this.fillOnceMore();
  }

  /** The last answer of the queue still named or counted what has arrived now: asks what is left. */
  private async fillOnceMore(): Promise<void> {
    await this.filling;
    if (this.current === undefined || this.isInDoubt) await this.fill();
  }

  private unsent() {
    return this.outbox.entries.filter(
      (one) => one.review === this.review && one.stage === this.stage && one.kind !== "withdraw",
    );
  }

  private isSlip(): boolean {
    return this.clock() - this.shownAt < SLIP_MS;
  }

  private step(step: Step, said: Said): void {
    this.steps = [...this.steps.slice(-(MOST - 1)), step];
    this.recent.add(step.item.record.id);
    this.items = this.items.slice(1);
    this.said = said;
    this.shown();
    if (this.items.length < Math.min(REFILL_BELOW, this.ahead)) void this.fill();
  }

  private count(by: number): void {
    if (this.queue === null) return;
    const { workload, remaining } = this.queue;
    const decided = Math.max(0, workload.decided - by);
    const left = workload.left === null ? null : Math.max(0, workload.left + by);
    this.queue = {
      ...this.queue,
      remaining: Math.max(0, remaining + by),
      workload: { ...workload, decided, left },
    };
  }

  private async refill(ahead: number): Promise<void> {
    const before = this.unsent().length;
    const { nArrived } = this;
    try {
      const found = await this.ask(Math.min(MOST, Math.max(ahead, this.items.length) + before));
      this.error = null;
      this.fromStore = false;
      const here = new Set(this.items.map((one) => one.record.id));
      const fresh = found.items.filter((one) => !here.has(one.record.id) && this.isFree(one.record.id));
      const leases = new Map(found.items.map((one) => [one.record.id, one.lease_expires_at]));
      const hadNone = this.items.length === 0;
      this.items = [
        ...this.items.map((one) => ({
          ...one,
          lease_expires_at: leases.get(one.record.id) ?? one.lease_expires_at,
        })),
        ...fresh,
      ];
      this.isInDoubt = this.nArrived !== nArrived;
      const { remaining, workload } = this.countsOf(found);
      // What is decided here and on its way is all that the server has for this person.
      const isAll = this.items.length === 0 && remaining === 0 && found.state === "ready";
      this.queue = { ...found, remaining, workload, state: isAll ? "finished" : found.state };
      this.recent = new Set([...this.recent].filter((id) => this.isOnItsWay(id)));
      if (hadNone) this.shown();
      await this.keep();
    } catch (error) {
      this.error = error;
    }
  }

  /** What an answer counts, and what is on its way. What this page has counted is better than doubt. */
  private countsOf(found: QueueOut): Pick<QueueOut, "remaining" | "workload"> {
    if (this.isInDoubt && this.queue !== null) return this.queue;
    const onTheirWay = this.onTheirWay();
    const { workload, remaining } = found;
    return {
      remaining: Math.max(0, remaining - onTheirWay),
      workload: {
        ...workload,
        decided: Math.max(0, workload.decided + onTheirWay),
        left: workload.left === null ? null : Math.max(0, workload.left - onTheirWay),
      },
    };
  }

  /** Decisions that the server has still to get, less those that it has still to take back. */
  private onTheirWay(): number {
    const ofThis = this.outbox.entries.filter((one) => one.review === this.review && one.stage === this.stage);
    const of = (kind: "decide" | "withdraw") => ofThis.filter((one) => one.kind === kind).length;
    return of("decide") - of("withdraw");
  }

  /** Whether a record is neither decided here nor on its way. */
  private isFree(record: string): boolean {
    return !this.recent.has(record) && !this.isOnItsWay(record);
  }

  private isOnItsWay(record: string): boolean {
    return this.outbox.waitingFor(this.review, record, this.stage) !== undefined;
  }

  private get ahead(): number {
    return this.stage === "full_text" ? AHEAD_AT_FULL_TEXT : AHEAD;
  }

  /** What is kept of each stage has a name of its own. */
  private get keptAs(): string {
    return this.stage === "full_text" ? `${this.review}/full_text` : this.review;
  }

  private async keep(): Promise<void> {
    const { user } = this.outbox;
    const kept = { user, review: this.keptAs, items: this.items };
    // A full storage: then there is nothing to read without a connection.
    await this.db?.put("kept", kept).catch((error: unknown) => console.warn("could not keep records", error));
  }

  private shown(): void {
    this.shownAt = this.clock();
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

async function askQueue(review: string, limit: number, stage: Stage): Promise<QueueOut> {
  return data(api.POST("/api/v1/reviews/{review_id}/queue", { ...inReview(review), body: { limit, stage } }));
}
