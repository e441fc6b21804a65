import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rounds } from "../src/api/rounds";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Rounds whose answers take `ms`, and what each of them read. */
function reading(ms: number) {
  const read: string[][] = [];
  const made = rounds((kinds) => {
    read.push(kinds);
    return new Promise((done) => setTimeout(done, ms));
  });
  return { read, ...made };
}

test("events of one decision are one round", async () => {
  const { read, add } = reading(10);
  add(["progress", "records"]);
  add(["progress", "flow"]);
  await vi.advanceTimersByTimeAsync(399);
  expect(read).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(read).toEqual([["progress", "records", "flow"]]);
});

test("an answer that takes long is not broken off by the next events, and none is forgotten", async () => {
  const { read, add } = reading(2000);
  for (let at = 0; at < 10_000; at += 100) {
    add(["flow"]);
    await vi.advanceTimersByTimeAsync(100);
  }
  // .4 s until the first, then 2 s of reading and 2 of pause, twice and a half.
  expect(read).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(read.at(-1)).toEqual(["flow"]);
  expect(read).toHaveLength(4);
});

test("what comes after a pause waits no longer than usual", async () => {
  const { read, add } = reading(1000);
  add(["flow"]);
  await vi.advanceTimersByTimeAsync(5000);
  add(["flow"]);
  await vi.advanceTimersByTimeAsync(400);
  expect(read).toHaveLength(2);
});

test("a round that fails is followed by others", async () => {
  let n = 0;
  const { add } = rounds(() => ((n += 1), Promise.reject(new Error("no answer"))).catch(() => undefined));
  add(["flow"]);
  await vi.advanceTimersByTimeAsync(500);
  add(["flow"]);
  await vi.advanceTimersByTimeAsync(500);
  expect(n).toBe(2);
});

test("nothing is read after the end", async () => {
  const { read, add, end } = reading(10);
  add(["flow"]);
  end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(read).toEqual([]);
});
