import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Entry } from "../src/outbox/entries";
import { Outbox } from "../src/outbox/outbox";
import type { Outcome } from "../src/outbox/sending";
import { open, type QueueItem } from "../src/outbox/store";
import { type QueueOut, Session, SLIP_MS } from "../src/views/screen/session";

const JUDGEMENT = { verdict: "include" as const, reasons: [], labels: [], note: null };

const item = (id: number) =>
  ({ record: { id: String(id), title: `Title ${id}`, my_decision: null }, terms: [], rank: id, score: null,
    ranking_id: null, lease_expires_at: "2026-01-01T00:00:00Z" }) as unknown as QueueItem;

/** A queue of a server that hands out what nobody has decided. */
class Queue {
  decided = new Set<string>();
  asked: number[] = [];
  fails = false;
  constructor(readonly n: number) {}
  ask = async (limit: number): Promise<QueueOut> => {
    this.asked.push(limit);
    if (this.fails) throw new Error("no connection");
    const left = Array.from({ length: this.n }, (_, at) => item(at + 1)).filter((one) => !this.decided.has(one.record.id));
    const workload = { decided: this.decided.size, left: left.length, target: null };
    const state = left.length > 0 ? ("ready" as const) : ("finished" as const);
    return { items: left.slice(0, limit), remaining: left.length, state, withheld: 0, workload };
  };
  send = async (entry: Entry): Promise<Outcome> => {
    if (entry.kind === "decide") this.decided.add(entry.record);
    if (entry.kind === "withdraw") this.decided.delete(entry.record);
    return { kind: "arrived", decision: `d${entry.key}`, remaining: null };
  };
  sendMany = async (entries: readonly Entry[]) => Promise.all(entries.map(this.send));
}

let now = 0;
let queue: Queue;
let outbox: Outbox;
let session: Session;

beforeEach(async () => {
  now = 0;
  queue = new Queue(30);
  outbox = new Outbox("me", "tab", null, queue);
  session = new Session("r", outbox, null, queue.ask, () => now);
  outbox.onArrival(({ entry, decision }) => session.took(entry.key, decision));
  await session.start();
  now += 1000;
});

/** Lets promises go on until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve));
}

const decide = () => {
  const made = session.decide(JUDGEMENT);
  now += 1000;
  return made;
};

describe("screening", () => {
  it("has the next record there at once, and counts along", () => {
    expect(session.current?.record.id).toBe("1");
    decide();
    expect(session.current?.record.id).toBe("2");
    expect([session.decided, session.remaining]).toEqual([1, 29]);
  });

  it("takes a second press for a slip", () => {
    session.decide(JUDGEMENT);
    now += SLIP_MS - 1;
    expect(session.decide(JUDGEMENT)).toBe(false);
    expect(session.current?.record.id).toBe("2");
  });

  it("asks for more in time, and never shows again what is on its way", async () => {
    const seen = [];
    for (let n = 0; n < 30; n++) {
      seen.push(session.current?.record.id);
      decide();
      await session.fill();
    }
    expect(new Set(seen).size).toBe(30);
    expect(session.current).toBeUndefined();
    await outbox.flush();
    await session.fill();
    expect(session.queue?.state).toBe("finished");
    expect(queue.decided.size).toBe(30);
  });

  it("says that all is done while the last decision is still on its way, and once it arrived", async () => {
    queue.decided = new Set(Array.from({ length: 28 }, (_, at) => String(at + 1)));
    session = new Session("r", outbox, null, queue.ask, () => now);
    await session.start();
    now += 1000;
    decide();
    decide();
    await session.fill();
    expect(session.queue?.state).toBe("finished");
    await outbox.flush();
    session.took("k", "d");
    await session.fill();
    expect([session.queue?.state, session.remaining]).toEqual(["finished", 0]);
  });

  it("counts along while decisions arrive as the queue is asked, and as the server counts after that", async () => {
    let answer = () => {};
    const slow = async (limit: number) => {
      const counted = await queue.ask(limit);
      await new Promise<void>((resolve) => (answer = resolve));
      return counted;
    };
    const started = new Session("r", outbox, null, slow, () => now);
    outbox.onArrival(({ entry, decision }) => started.took(entry.key, decision));
    const filled = started.start();
    await until(() => queue.asked.length === 2);
    answer();
    await filled;
    now += 1000;
    started.decide(JUDGEMENT);
    const filling = started.fill();
    await until(() => queue.asked.length === 3);
    await outbox.flush();
    queue.decided.add("30"); // by the same person, elsewhere
    answer();
    await filling;
    expect([started.decided, started.remaining]).toEqual([1, 29]);

    await until(() => queue.asked.length === 4);
    answer();
    await until(() => started.decided === 2);
    expect(started.remaining).toBe(28);
  });

  it("asks again when what a closed tab has left arrives while the first queue is asked", async () => {
    decide();
    let answer = () => {};
    let nAsked = 0;
    const slow = async (limit: number) => {
      const counted = await queue.ask(limit);
      if (nAsked++ === 0) await new Promise<void>((resolve) => (answer = resolve));
      return counted;
    };
    const started = new Session("r", outbox, null, slow, () => now);
    outbox.onArrival(({ entry, decision }) => started.took(entry.key, decision));
    const filled = started.start();
    await until(() => nAsked === 1);
    await outbox.flush();
    answer();
    await filled;
    await until(() => nAsked === 2);
    await until(() => started.decided === 1);
    expect([started.decided, started.remaining]).toEqual([1, 29]);
  });

  it("undoes as often as wanted, in the order back", async () => {
    for (let n = 0; n < 4; n++) decide();
    await outbox.flush();
    for (let n = 0; n < 4; n++) session.undo();
    expect(session.canUndo).toBe(false);
    expect(session.current?.record.id).toBe("1");
    await outbox.flush();
    expect(queue.decided.size).toBe(0);
    expect([session.decided, session.remaining]).toEqual([0, 30]);
  });

  it("counts an undo that is on its way as it counts decisions that are", async () => {
    decide();
    await outbox.flush();
    session.undo();
    await session.fill();
    expect([session.decided, session.remaining]).toEqual([0, 30]);
    await outbox.flush();
    await session.fill();
    expect([session.decided, session.remaining]).toEqual([0, 30]);
  });

  it("comes to its end though the browser's storage is full", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const db = await open("full-kept");
    vi.spyOn(db, "put").mockRejectedValue(new DOMException("The disk is full", "QuotaExceededError"));
    queue = new Queue(1);
    session = new Session("r", outbox, db, queue.ask, () => now);
    await session.start();
    now += 1000;
    session.decide(JUDGEMENT);
    queue.decided.add("1");
    await outbox.flush();
    await session.fill();
    expect([session.queue?.state, session.error]).toEqual(["finished", null]);
    vi.restoreAllMocks();
  });

  it("decides again what was undone", async () => {
    decide();
    await outbox.flush();
    session.undo();
    now += 1000;
    decide();
    await outbox.flush();
    expect([...queue.decided]).toEqual(["1"]);
  });

  it("puts a record off without a decision", async () => {
    session.later();
    now += 1000;
    expect(session.current?.record.id).toBe("2");
    await outbox.flush();
    expect(queue.decided.size).toBe(0);
  });

  it("goes on with what is here when the server is away", async () => {
    queue.fails = true;
    for (let n = 0; n < 10; n++) decide();
    await session.fill();
    expect(session.error).not.toBeNull();
    queue.fails = false;
    await session.fill();
    expect(session.error).toBeNull();
    expect(session.current?.record.id).toBe("11");
  });
});
