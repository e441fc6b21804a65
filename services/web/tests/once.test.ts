import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { once } from "../src/api/once";
import { Refused, Unreachable } from "../src/api/problem";
import { send } from "../src/api/sending";

let keys: string[] = [];
let answers: (number | "lost" | "repeated")[] = [];

/** A way to the server on which answers get lost. */
class Request {
  upload: { onprogress?: unknown } = {};
  status = 0;
  response: unknown = null;
  onload = () => undefined;
  onerror = () => undefined;
  open() {}
  isRepeated = false;
  getResponseHeader(name: string) {
    return name === "Idempotency-Replayed" && this.isRepeated ? "true" : null;
  }
  setRequestHeader(name: string, value: string) {
    if (name === "Idempotency-Key") keys.push(value);
  }
  send() {
    const answer = answers.shift() ?? 202;
    if (answer === "lost") return this.onerror();
    this.isRepeated = answer === "repeated";
    this.status = answer === "repeated" ? 202 : answer;
    return this.onload();
  }
}

beforeEach(() => {
  [keys, answers] = [[], []];
  vi.stubGlobal("XMLHttpRequest", Request);
});
afterEach(() => vi.unstubAllGlobals());

function form(text = "TY  - JOUR", source = "", lastModified = 1): FormData {
  const made = new FormData();
  made.append("source", source);
  made.append("file", new File([text], "search.ris", { lastModified }));
  return made;
}
const sent = (path: string, what: FormData, method: "POST" | "PUT" = "POST") =>
  send(path, what, () => undefined, method).catch((error: unknown) => error);

describe("a file that is sent", () => {
  it("keeps its key until it is taken, also if it is chosen again", async () => {
    answers = ["lost", 502, 202, 202];
    expect(await sent("r/imports", form())).toBeInstanceOf(Unreachable);
    expect(await sent("r/imports", form())).toBeInstanceOf(Refused);
    await sent("r/imports", form());
    await sent("r/imports", form());
    const [first, again, arrived, another] = keys;
    expect([again, arrived]).toEqual([first, first]);
    expect(another).not.toBe(first);
  });

  it("has another key where it, its place or what is said of it is another", async () => {
    answers = ["lost", "lost", "lost", "lost", "lost"];
    await sent("r/imports", form());
    await sent("s/imports", form());
    await sent("r/imports", form("TY  - BOOK, longer"));
    await sent("r/imports", form("TY  - JOUR", "Medline"));
    await sent("r/imports", form("TY  - JOUR", "", 2));
    expect(new Set(keys).size).toBe(5);
    await sent("r/imports", form());
    expect(keys[5]).toBe(keys[0]);
  });

  it("keeps its key when it is refused: it may have arrived before", async () => {
    answers = ["lost", 401, 429, 202, 202];
    for (const _ of [...answers]) await sent("q/imports", form());
    expect(new Set(keys.slice(0, 4)).size).toBe(1);
    expect(keys[4]).not.toBe(keys[0]);
  });

  it("is taken again if what was made of it was undone since", async () => {
    const upload = (stands: boolean) =>
      send("t/imports", form(), () => undefined, "POST", () => Promise.resolve(stands)).catch(() => undefined);
    answers = ["lost", "repeated", 202];
    await upload(false);
    await upload(false);
    expect(keys).toHaveLength(3);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    answers = ["lost", "repeated"];
    await upload(true);
    await upload(true);
    expect(keys).toHaveLength(5);
  });

  it("has a new key each time where it replaces what is there", async () => {
    answers = ["lost"];
    await sent("r/code-book", form(), "PUT");
    await sent("r/code-book", form(), "PUT");
    expect(keys[1]).not.toBe(keys[0]);
  });
});

it("is done once if it is asked for twice at once", async () => {
  const seen: string[] = [];
  const ask = () => once(["message", "hello"], async (headers) => void seen.push(headers["Idempotency-Key"]));
  await Promise.all([ask(), ask()]);
  expect(seen[0]).toBe(seen[1]);
});

it("keeps its key if of two at once only one is answered", async () => {
  const seen: string[] = [];
  const ask = (lost: boolean) =>
    once(["message", "bye"], async (headers) => {
      seen.push(headers["Idempotency-Key"]);
      await Promise.resolve();
      if (lost) throw new Unreachable();
    }).catch(() => undefined);
  await Promise.all([ask(false), ask(true)]);
  await ask(false);
  expect(new Set(seen).size).toBe(1);
});

it("has a new key when the server knows the old one for something else", async () => {
  const seen: string[] = [];
  const refused = new Refused({ title: "", status: 409, code: "idempotency_key_reused", detail: "" });
  const ask = () =>
    once(["message", "again"], async (headers) => {
      seen.push(headers["Idempotency-Key"]);
      if (seen.length === 1) throw refused;
    }).catch(() => undefined);
  await ask();
  await ask();
  expect(seen[1]).not.toBe(seen[0]);
});
