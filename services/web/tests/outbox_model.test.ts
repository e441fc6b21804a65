/** The outbox against a model of the server: random histories of one person. `HISTORY=17` runs that one alone. */
import "fake-indexeddb/auto";
import { expect, it, vi } from "vitest";
import type { Entry } from "../src/outbox/entries";
import { Outbox, type Transport } from "../src/outbox/outbox";
import { judged, type Outcome, SAYS_MORE_ALONE } from "../src/outbox/sending";
import { open, type Store } from "../src/outbox/store";

const only = process.env["HISTORY"];
/** The same seed gives the same history. */
function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 2654435761);
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
const breath = () => new Promise((done) => setImmediate(done));
const meaning = (entry: Entry, said: Said): Outcome =>
  "code" in said ? judged(entry, said, null) : { kind: "arrived", decision: said.decision, remaining: null };
const INCLUDE = { verdict: "include" as const, reasons: [], labels: [], note: null, seconds: 1 };
const LOST: Outcome = { kind: "wait", seconds: null };
type Problem = Parameters<typeof judged>[1];
type Said = { decision: string | null } | Problem;
const problem = (code: string, status = 409, more: object = {}) => ({ code, status, detail: "", title: "", ...more }) as Problem;
const WRONG_CLOCK = problem("invalid", 422, { errors: [{ field: "made_at", location: "body", message: "" }] });
/** What the person did, in order. Its name is the `title` of its entry, which no retry changes. */
interface Act { name: string; record: string; kind: "decide" | "withdraw"; undoes: string | null }
class Server {
  isGood = false;
  isAway = false;
  /** The act that stands, by record. */
  standing = new Map<string, string>();
  /** The acts that changed something, in the order in which they came. */
  log: { name: string; record: string }[] = [];
  private kept = new Map<string, { content: string; said: Said[] }>();
  constructor(readonly random: () => number) {}
  chance = (of: number) => this.random() < of;
  /** One request: it or its answer may be lost; its answer is kept under its key. */
  async request(key: string, entries: readonly Entry[], isBatch: boolean): Promise<Said[] | Problem | null> {
    while (this.chance(0.5)) await breath();
    if (!this.isGood && (this.isAway || this.chance(0.1))) return null;
    if (!this.isGood && this.chance(0.05)) return problem("too_many_requests", 429);
    const content = JSON.stringify(entries.map(({ title, record, kind, basis, made_at }) => [title, record, kind, basis, made_at]));
    const first = this.kept.get(key);
    if (first !== undefined && first.content !== content) return problem("idempotency_key_reused");
    const said = first?.said ?? entries.map((one) => this.take(one, isBatch));
    // A refusal undoes the whole of a single request, its key too; a batch keeps those of its items.
    if (isBatch || !("code" in (said[0] as Said))) this.kept.set(key, { content, said });
    while (this.chance(0.3)) await breath();
    return !this.isGood && this.chance(0.2) ? null : said;
  }
  private take(entry: Entry, isBatch: boolean): Said {
    const { record, basis, kind, title } = entry;
    if (entry.made_at !== null && !this.isGood && this.chance(0.05)) return WRONG_CLOCK;
    if (!this.isGood && this.chance(0.04) && !this.log.some((one) => one.name === title)) return problem("forbidden", 403);
    const now = this.standing.get(record) ?? null;
    if (kind === "withdraw" && now === null) return basis === null ? problem("no_decision", 404) : { decision: null };
    // Alone, a withdrawal without a basis leaves it out, and nothing is checked.
    if ((isBatch || kind === "decide" || basis !== null) && basis !== now) return problem("newer_decision");
    this.log.push({ name: title, record });
    if (kind === "decide") this.standing.set(record, title);
    else this.standing.delete(record);
    return { decision: kind === "decide" ? title : null };
  }
}
/** A tab: its outbox, and what `Session` knows for undoing. */
class Tab implements Transport {
  isClosed = false;
  isCut = false; // The browser stores no more of what it writes.
  steps: { act: Act; key: string }[] = [];
  basisOf = new Map<string, string>();
  box: Outbox;
  constructor(readonly name: string, db: Store, readonly server: Server) {
    const transaction = (...what: Parameters<Store["transaction"]>) => {
      if (this.isCut) throw new DOMException("The tab is gone", "AbortError");
      return db.transaction(...what);
    };
    const own = { transaction, getAllFromIndex: db.getAllFromIndex.bind(db), delete: db.delete.bind(db) };
    this.box = new Outbox("me", name, own as unknown as Store, this);
    this.box.onArrival(({ entry, decision }) => decision !== null && this.basisOf.set(entry.key, decision));
  }
  async send(entry: Entry): Promise<Outcome> {
    const said = [await this.server.request(entry.key, [entry], false)].flat()[0] ?? null;
    return this.unlessClosed(said === null ? LOST : meaning(entry, said));
  }
  /** As `sendMany` of the page does it. */
  async sendMany(entries: readonly Entry[]): Promise<Outcome[]> {
    const found = await this.server.request(entries[0]?.batch as string, entries, true);
    if (found === null) return this.unlessClosed(entries.map(() => LOST));
    if (!Array.isArray(found)) {
      const isReused = found.code === "idempotency_key_reused";
      return Promise.all(entries.map((one) => (isReused ? this.send(one) : this.unlessClosed(meaning(one, found)))));
    }
    const outcomes: Outcome[] = [];
    for (const [at, said] of found.entries()) {
      const one = entries[at] as Entry;
      outcomes.push("code" in said && SAYS_MORE_ALONE.has(said.code) ? await this.send(one) : meaning(one, said));
    }
    return this.unlessClosed(outcomes);
  }
  private unlessClosed = <T>(answer: T) => (this.isClosed ? new Promise<never>(() => {}) : answer);
  waits = (record: string) => this.box.waitingFor("r", record, "title_abstract") !== undefined;
}
async function run(seed: number): Promise<void> {
  const server = new Server(randomOf(seed));
  const below = (n: number) => Math.floor(server.random() * n);
  const db = await open(`model-${seed}`);
  let [acts, nActs]: [Act[], number] = [[], 0];
  let tabs = [new Tab("t0", db, server)];
  const [orphans, sentAgain] = [new Set<string>(), new Set<string>()];
  const nRecords = server.chance(0.5) ? 2 + below(4) : 25 + below(25);
  const isElsewhere = (tab: Tab, record: string) => orphans.has(record) || tabs.some((one) => one !== tab && one.waits(record));
  const put = (tab: Tab, kind: Act["kind"], record: string, basis: string | null, undoes: string | null) => {
    const act = { name: `${kind}-${++nActs}`, record, kind, undoes };
    acts.push(act);
    const judgement = kind === "decide" ? INCLUDE : null;
    const key = tab.box.add({ review: "r", record, stage: "title_abstract", title: act.name, kind, judgement, basis });
    if (kind === "decide") tab.steps.push({ act, key });
  };
  const decide = (tab: Tab, record = String(below(nRecords))) => {
    // A page that was loaded long ago does not know of what was decided since.
    const basis = server.chance(0.3) ? null : (server.standing.get(record) ?? null);
    if (!isElsewhere(tab, record)) put(tab, "decide", record, basis, null);
  };
  const undo = (tab: Tab) => {
    const last = tab.steps.pop();
    if (last === undefined || isElsewhere(tab, last.act.record)) return;
    if (tab.box.drop(last.key)) acts = acts.filter((one) => one !== last.act);
    else put(tab, "withdraw", last.act.record, tab.basisOf.get(last.key) ?? null, last.act.name);
  };
  const close = async (tab: Tab) => {
    tab.isCut = server.chance(0.3);
    if (server.chance(0.7)) tab.box.leave();
    for (const one of tab.box.entries) orphans.add(one.record);
    tab.isClosed = true;
    tab.box.giveUp();
    tabs = tabs.filter((one) => one !== tab);
    await tab.box.stored();
  };
  const load = (tab: Tab) => tab.box.load((name) => tabs.some((one) => one.name === name)).then(() => orphans.clear());
  const again = (tab: Tab) => {
    const first = tab.box.notSent.at(-1);
    const act = acts.find((one) => one.name === first?.entry.title);
    if (first === undefined || act === undefined || isElsewhere(tab, act.record) || tab.waits(act.record)) return;
    acts = [...acts.filter((one) => one !== act), act];
    sentAgain.add(act.name);
    return tab.box.again(first.entry.key, server.standing.get(act.record) ?? null);
  };
  for (let step = below(60); step >= 0; step--) {
    const tab = tabs[below(tabs.length)] as Tab;
    const what = server.random();
    if (what < 0.45) decide(tab);
    else if (what < 0.62) undo(tab);
    else if (what < 0.66) for (let n = 22 + below(8); n > 0; n--) decide(tab);
    else if (what < 0.72) server.isAway = !server.isAway;
    else if (what < 0.75) void tab.box.flush();
    else if (what < 0.8) {
      // What has arrived is undone too, and what has come back.
      decide(tab, [...server.standing.keys()].at(-1));
      await tab.box.flush();
      for (let n = below(4); n > 0; n--) undo(tab);
    } else if (what < 0.84) await vi.advanceTimersByTimeAsync(below(8000));
    else if (what < 0.9) void again(tab);
    else if (what < 0.94) {
      if (tabs.length > 1 || server.chance(0.5)) await close(tab);
      if (tabs.length < 2) tabs.push(new Tab(`t-${step}`, db, server));
      await load(tabs.at(-1) as Tab);
    } else for (let n = below(30); n > 0; n--) await breath();
  }
  server.isGood = true;
  await load(tabs[0] as Tab);
  for (let n = 0; n < 8 && tabs.some((one) => one.box.entries.length > 0); n++) for (const one of tabs) await one.box.flush();
  await Promise.all(tabs.map((one) => one.box.stored()));
  expect(tabs.flatMap((one) => one.box.entries), "waits for ever").toEqual([]);
  expect(await db.getAll("entries"), "is stored for ever").toEqual([]);
  const names = server.log.map((one) => one.name);
  const notes = (await db.getAll("not_sent")).map((one) => one.entry.title);
  // The note of what is sent again goes once that is stored: a tab that is closed in between leaves both.
  const refused = new Set(notes.filter((one) => !(sentAgain.has(one) && names.includes(one))));
  expect(names.length, "entered twice").toBe(new Set(names).size);
  expect(names.filter((one) => refused.has(one)), "refused, and entered all the same").toEqual([]);
  const isLost = (one: Act) => one.kind === "decide" && !names.includes(one.name) && !refused.has(one.name);
  expect(acts.filter(isLost), "lost").toEqual([]);
  const place = new Map(acts.map((one, at) => [one.name, at]));
  for (const record of new Set(acts.map((one) => one.record))) {
    const came = server.log.filter((one) => one.record === record).map((one) => place.get(one.name) as number);
    expect(came, `order on ${record}`).toEqual(came.toSorted((a, b) => a - b));
    const counts = (one: Act) => one.record === record && !refused.has(one.name) && !(one.undoes !== null && refused.has(one.undoes));
    const final = acts.findLast(counts);
    expect(server.standing.get(record), `what stands on ${record}`).toBe(final?.kind === "decide" ? final.name : undefined);
  }
}
it("loses nothing, enters nothing twice and keeps the order, whatever happens", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const failed: string[] = [];
  for (let seed = 1; seed <= Number(process.env["HISTORIES"] ?? 200); seed++) {
    if (only === undefined || Number(only) === seed) await run(seed).catch((error: Error) => failed.push(`history ${seed}: ${error.message}`));
  }
  expect(failed).toEqual([]);
});
