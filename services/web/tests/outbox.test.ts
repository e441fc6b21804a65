import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Entry } from "../src/outbox/entries";
import { Outbox, type Transport, WAIT_MS } from "../src/outbox/outbox";
import { judged, type Outcome } from "../src/outbox/sending";
import { forgetAllOf, nStored, open } from "../src/outbox/store";

const INCLUDE = { verdict: "include" as const, reasons: [], labels: [], note: null, seconds: 1 };
const decision = (record: string, basis: string | null = null) => ({
  review: "r",
  record,
  stage: "title_abstract" as const,
  title: record,
  kind: "decide" as const,
  judgement: INCLUDE,
  basis,
});
const withdrawal = (record: string, basis: string | null = null) => ({
  ...decision(record, basis),
  kind: "withdraw" as const,
  judgement: null,
});

/** A server that keeps what it took, and answers as it is asked to. */
class Server implements Transport {
  taken: string[] = [];
  sent: Entry[] = [];
  answers: Outcome[] = [];
  async send(entry: Entry): Promise<Outcome> {
    this.sent.push(entry);
    const answer = this.answers.shift();
    if (answer !== undefined) return answer;
    this.taken.push(`${entry.kind} ${entry.record}`);
    const made = entry.kind === "decide" ? `decision-of-${entry.key}` : null;
    return { kind: "arrived", decision: made, remaining: null };
  }
  async sendMany(entries: readonly Entry[]): Promise<Outcome[]> {
    const answer = this.answers.shift();
    if (answer !== undefined) return entries.map(() => answer);
    return Promise.all(entries.map((one) => this.send(one)));
  }
}

const until = async (what: () => boolean) => {
  for (let n = 0; n < 200 && !what(); n++) await vi.advanceTimersByTimeAsync(10);
  expect(what()).toBe(true);
};

let server: Server;
let box: Outbox;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  server = new Server();
  box = new Outbox("me", "tab", null, server);
});
afterEach(() => void vi.useRealTimers());

describe("the outbox", () => {
  it("holds the newest decision back, and sends it when the wait is over", async () => {
    box.add(decision("1"));
    await vi.advanceTimersByTimeAsync(WAIT_MS - 100);
    expect(server.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(server.taken).toEqual(["decide 1"]);
    expect(box.state).toBe("saved");
  });

  it("sends the one before when the next is made", async () => {
    box.add(decision("1"));
    box.add(decision("2"));
    await until(() => server.taken.length === 1);
    expect(server.taken).toEqual(["decide 1"]);
  });

  it("sends nothing of what was undone within the wait", async () => {
    const key = box.add(decision("1"));
    expect(box.drop(key)).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * WAIT_MS);
    expect(server.sent).toEqual([]);
  });

  it("withdraws what has arrived, on the basis of what it became", async () => {
    const key = box.add(decision("1"));
    await box.flush();
    expect(box.drop(key)).toBe(false);
    box.add(withdrawal("1", `decision-of-${key}`));
    await box.flush();
    expect(server.taken).toEqual(["decide 1", "withdraw 1"]);
    expect(server.sent[1]?.basis).toBe(`decision-of-${key}`);
  });

  it("never drops what may have arrived, and undoes it afterwards", async () => {
    server.answers = [{ kind: "wait", seconds: 1 }];
    const key = box.add(decision("1"));
    await box.flush();
    expect(box.state).toBe("offline");
    expect(box.drop(key)).toBe(false);
    box.add(withdrawal("1"));
    await until(() => server.taken.length === 2);
    expect(server.taken).toEqual(["decide 1", "withdraw 1"]);
    expect(server.sent.map((one) => one.key).slice(0, 2)).toEqual([key, key]);
    expect(server.sent[2]?.basis).toBe(`decision-of-${key}`);
  });

  it("keeps the order of decisions without a connection", async () => {
    server.answers = [{ kind: "wait", seconds: 2 }];
    for (const record of ["1", "2", "3", "4"]) box.add(decision(record));
    await until(() => box.state === "offline");
    await vi.advanceTimersByTimeAsync(WAIT_MS + 3000);
    await until(() => server.taken.length === 4);
    expect(server.taken).toEqual(["decide 1", "decide 2", "decide 3", "decide 4"]);
  });

  it("keeps everything while nobody is signed in", async () => {
    server.answers = [{ kind: "signed_out" }];
    box.add(decision("1"));
    await box.flush();
    expect(box.state).toBe("signed_out");
    expect(box.entries).toHaveLength(1);
    await box.flush();
    expect(server.taken).toEqual(["decide 1"]);
  });

  it("shows what was refused for good, and sends it again when asked", async () => {
    const problem = { status: 409, code: "newer_decision" as const, detail: "You have decided.", title: "" };
    server.answers = [{ kind: "refused", problem }];
    box.add(decision("1"));
    await box.flush();
    expect(box.notSent.map((one) => one.detail)).toEqual(["You have decided."]);
    expect(box.entries).toEqual([]);
    await box.again(box.notSent[0]?.entry.key ?? "", "newer");
    expect(server.sent[1]?.basis).toBe("newer");
    expect(box.notSent).toEqual([]);
  });

  it("sends many together, and each of them once", async () => {
    server.answers = [{ kind: "wait", seconds: 60 }];
    const many = Array.from({ length: 60 }, (_, n) => String(n));
    for (const record of many) box.add(decision(record));
    await until(() => box.state === "offline");
    const sendMany = vi.spyOn(server, "sendMany");
    await box.flush();
    // The first was tried alone, so it goes alone again, under its own key.
    expect(sendMany.mock.calls[0]?.[0]).toHaveLength(59);
    expect(server.taken).toEqual(many.map((record) => `decide ${record}`));
  });
});

describe("a batch", () => {
  const batches: (string | undefined)[][] = [];
  class Losing extends Server {
    isLost = true;
    override sendMany = async (entries: readonly Entry[]): Promise<Outcome[]> => {
      batches.push([...new Set(entries.map((one) => one.batch)), String(entries.length)]);
      if (this.isLost) return entries.map(() => ({ kind: "wait", seconds: 60 }));
      return Promise.all(entries.map((one) => this.send(one)));
    };
  }

  it("whose answer was lost goes again as it went, under its own key", async () => {
    batches.length = 0;
    const losing = new Losing();
    losing.answers = [{ kind: "wait", seconds: 60 }];
    const outbox = new Outbox("me", "tab", null, losing);
    for (let n = 0; n < 30; n++) outbox.add(decision(String(n)));
    await until(() => outbox.state === "offline");
    losing.answers = [];
    await outbox.flush();
    outbox.add(decision("later"));
    losing.isLost = false;
    await outbox.flush();
    const [first, second] = batches;
    expect(first?.[0]).toBeTruthy();
    expect(second).toEqual(first);
    expect(outbox.entries).toEqual([]);
    expect(losing.taken.at(-1)).toBe("decide later");
  });

  it("begins with what is free, and nothing waits for what is behind it", async () => {
    vi.useRealTimers();
    const db = await open("order-turned");
    const withdrawn: Entry = {
      ...decision("1"), kind: "withdraw", judgement: null, key: "w", user: "me", made_at: null, after: "d", tried: false, tab: "gone",
    };
    await db.add("entries", withdrawn);
    for (let n = 2; n < 30; n++) {
      await db.add("entries", { ...withdrawn, ...decision(String(n)), key: `k${n}`, after: null });
    }
    await db.add("entries", { ...withdrawn, ...decision("1"), key: "d", after: null });
    const last = new Outbox("me", "two", db, server);
    await last.load(() => false);
    await last.flush();
    await last.flush();
    expect(last.entries).toEqual([]);
    expect(server.taken.indexOf("decide 1")).toBeLessThan(server.taken.indexOf("withdraw 1"));
  });
});

describe("what is stored", () => {
  it("is given up by who signs out and says so", async () => {
    vi.useRealTimers();
    const db = await open("given-up");
    server.answers = [{ kind: "wait", seconds: 100 }];
    const box = new Outbox("me", "one", db, server);
    for (const record of ["1", "2", "3"]) box.add(decision(record));
    await box.stored();
    box.giveUp();
    await forgetAllOf(db, "me");
    box.leave();
    await box.stored();
    expect(await nStored(db, "me")).toBe(0);
  });

  it("shows also what was refused while it was read", async () => {
    vi.useRealTimers();
    const db = await open("read-meanwhile");
    const problem = { status: 409, code: "newer_decision" as const, detail: "You have decided.", title: "" };
    server.answers = [{ kind: "refused", problem }];
    const box = new Outbox("me", "one", db, server);
    const loading = box.load(() => true);
    box.add(decision("1"));
    await box.flush();
    await loading;
    expect(box.notSent).toHaveLength(1);
  });

  it("outlives the tab, and is sent by the next one", async () => {
    vi.useRealTimers();
    const db = await open("outlives");
    server.answers = [{ kind: "wait", seconds: 100 }];
    const first = new Outbox("me", "one", db, server);
    first.add(decision("1"));
    first.add(decision("2"));
    await first.stored();
    const second = new Outbox("me", "two", db, new Server());
    await second.load(() => false);
    await second.flush();
    await second.stored();
    expect(second.entries).toEqual([]);
    expect(await db.count("entries")).toBe(0);
  });

  it("is handed over before the one who decided can do anything else", async () => {
    const db = await open("at-once");
    const box = new Outbox("me", "one", db, new Server());
    let isHandedOver = false;
    const { prototype } = IDBTransaction;
    const commit = vi.spyOn(prototype, "commit").mockImplementation(function (this: IDBTransaction) {
      isHandedOver = true;
      commit.mockRestore();
      this.commit();
    });
    box.add(decision("1"));
    expect(isHandedOver).toBe(true);
    await box.stored();
    expect(await db.count("entries")).toBe(1);
  });

  it("keeps the order of decisions over two tabs that are closed", async () => {
    vi.useRealTimers();
    const db = await open("order");
    server.answers = [{ kind: "wait", seconds: 100 }];
    const first = new Outbox("me", "one", db, server);
    for (const record of ["1", "2", "3"]) first.add(decision(record));
    await first.stored();
    const away = new Server();
    away.answers = [{ kind: "wait", seconds: 100 }];
    const second = new Outbox("me", "two", db, away);
    await second.load(() => false);
    second.add(decision("4"));
    await second.stored();
    const third = new Server();
    const last = new Outbox("me", "three", db, third);
    await last.load(() => false);
    await last.flush();
    await last.stored();
    expect(third.taken).toEqual(["1", "2", "3", "4"].map((record) => `decide ${record}`));
    expect(await db.count("entries")).toBe(0);
  });

  it("is sent although the browser cannot store it, and that is said", async () => {
    const db = await open("full");
    vi.spyOn(db, "transaction").mockImplementation(() => {
      throw new DOMException("The disk is full", "QuotaExceededError");
    });
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const box = new Outbox("me", "one", db, server);
    box.add(decision("1"));
    await box.flush();
    expect(server.taken).toEqual(["decide 1"]);
    expect(box.isStored).toBe(false);
    expect(warned).toHaveBeenCalled();
    warned.mockRestore();
  });

  it("keeps a refused decision at every moment of being sent again", async () => {
    vi.useRealTimers();
    const db = await open("again");
    const problem = { status: 409, code: "newer_decision" as const, detail: "You have decided.", title: "" };
    server.answers = [{ kind: "refused", problem }, { kind: "wait", seconds: 100 }];
    const box = new Outbox("me", "one", db, server);
    box.add(decision("1"));
    await box.flush();
    await box.stored();
    const kept: number[] = [];
    const forget = db.delete.bind(db);
    vi.spyOn(db, "delete").mockImplementation(async (...what: Parameters<typeof db.delete>) => {
      await forget(...what);
      kept.push((await db.count("entries")) + (await db.count("not_sent")));
    });
    await box.again(box.notSent[0]?.entry.key ?? "", null);
    expect(kept).toEqual([1]);
    expect(box.entries.map((one) => one.record)).toEqual(["1"]);
  });

  it("loses no refused decision when the note of it cannot be stored", async () => {
    const db = await open("no-note");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const problem = { status: 409, code: "newer_decision" as const, detail: "You have decided.", title: "" };
    server.answers = [{ kind: "refused", problem }];
    const box = new Outbox("me", "one", db, server);
    box.add(decision("1"));
    await box.stored();
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value: unknown) {
      if (this.name === "not_sent") throw new DOMException("The disk is full", "QuotaExceededError");
      return this.add(value);
    });
    await box.flush();
    await box.stored();
    vi.restoreAllMocks();
    expect((await db.count("entries")) + (await db.count("not_sent"))).toBe(1);
    expect(box.isStored).toBe(false);
  });

  it("is taken over once though two tabs are closed at once", async () => {
    vi.useRealTimers();
    const db = await open("two-at-once");
    for (const tab of ["one", "two"]) {
      const away = new Server();
      away.answers = [{ kind: "wait", seconds: 100 }];
      const box = new Outbox("me", tab, db, away);
      box.add(decision(tab));
      await box.flush();
      await box.stored();
    }
    server.answers = [{ kind: "wait", seconds: 100 }];
    const last = new Outbox("me", "three", db, server);
    await last.load(() => true);
    await Promise.all([last.load((tab) => tab === "two"), last.load(() => false)]);
    expect(last.entries.map((one) => one.record).toSorted()).toEqual(["one", "two"]);
  });

  it("of one person goes when they sign out, and what others have still to send stays", async () => {
    vi.useRealTimers();
    const db = await open("sign-out");
    for (const user of ["me", "somebody"]) {
      const away = new Server();
      away.answers = [{ kind: "wait", seconds: 100 }];
      const box = new Outbox(user, "one", db, away);
      box.add(decision("1"));
      await box.flush();
      await box.stored();
      await db.put("kept", { user, review: "r", items: [] });
    }
    expect(await nStored(db, "me")).toBe(1);
    await forgetAllOf(db, "me");
    expect((await db.getAll("entries")).map((one) => one.user)).toEqual(["somebody"]);
    expect((await db.getAll("kept")).map((one) => one.user)).toEqual(["somebody"]);
  });

  it("is left to the tab that made it while that lives, and to its own person", async () => {
    vi.useRealTimers();
    const db = await open("left");
    server.answers = [{ kind: "wait", seconds: 100 }];
    const first = new Outbox("me", "one", db, server);
    first.add(decision("1"));
    await first.stored();
    const same = new Outbox("me", "two", db, new Server());
    await same.load((tab) => tab === "one");
    const other = new Outbox("somebody", "three", db, new Server());
    await other.load(() => false);
    expect([...same.entries, ...other.entries]).toEqual([]);
  });
});

describe("answers", () => {
  const entry = { ...decision("1"), made_at: "2026-01-01T00:00:00Z", key: "k", user: "me", after: null, tried: true, tab: "t" };
  const says = (code: string, more: object = {}, of: Entry = entry) =>
    judged(of, { status: 409, code: code as "invalid", detail: "", title: "", ...more }, null).kind;

  it("of a server in trouble are waited for", () => {
    expect(says("internal", { status: 500 })).toBe("wait");
    expect(says("too_many_requests", { status: 429 })).toBe("wait");
  });
  it("of a person who is signed out keep the work", () => {
    expect(says("unauthenticated", { status: 401 })).toBe("signed_out");
  });
  it("send on to the record that is screened in its place", () => {
    const outcome = judged(entry, { status: 409, code: "is_duplicate", record_id: "9", detail: "", title: "" }, null);
    expect(outcome.kind === "changed" && outcome.entry.record).toBe("9");
  });
  it("undo only what they were about, where another record is screened in its place", () => {
    const undone = { ...entry, kind: "withdraw" as const, judgement: null, basis: "d1" };
    const problem = { status: 409, code: "is_duplicate", record_id: "9", detail: "", title: "" };
    const outcome = judged(undone, problem, null);
    expect(outcome.kind === "changed" && [outcome.entry.record, outcome.entry.basis]).toEqual(["9", "d1"]);
    const decided = judged({ ...entry, basis: "d1" }, problem, null);
    expect(decided.kind === "changed" && decided.entry.basis).toBeNull();
  });
  it("take a decision that is gone for undone", () => {
    expect(says("no_decision", {}, { ...entry, kind: "withdraw" })).toBe("arrived");
    expect(says("no_decision")).toBe("refused");
  });
  it("leave a wrong clock's time out", () => {
    const errors = [{ field: "made_at", location: "body", message: "" }];
    const outcome = judged(entry, { status: 422, code: "invalid", detail: "", title: "", errors } as never, null);
    expect(outcome.kind === "changed" && outcome.entry.made_at).toBeNull();
  });
  it("leave criteria out that the server does not have any more", () => {
    const errors = [{ field: "criteria_version", location: "body", message: "" }];
    const problem = { status: 422, code: "invalid", detail: "", title: "", errors } as never;
    const under = { ...entry, judgement: { ...INCLUDE, criteria_version: 3 } };
    const outcome = judged(under, problem, null);
    expect(outcome.kind === "changed" && outcome.entry.judgement).toEqual(INCLUDE);
    expect(judged(entry, problem, null).kind).toBe("refused");
  });
});

describe("two stages", () => {
  it("keeps the decisions on one record apart, and sends what an older page has stored", async () => {
    const db = await open(`stages-${Math.random()}`);
    const { stage: _, ...old } = { ...decision("1"), key: "k", user: "me", made_at: null, after: null, tried: false, tab: "gone" };
    await db.put("entries", old as unknown as Entry);
    const server = new Server();
    const outbox = new Outbox("me", "tab", db, server);
    await outbox.load(() => false);
    outbox.add({ ...decision("1"), stage: "full_text" });

    expect(outbox.waitingFor("r", "1", "full_text")?.after).toBeNull();
    await outbox.flush();
    expect(server.sent.map((one) => one.stage)).toEqual(["title_abstract", "full_text"]);
  });
});
