import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rounds } from "../src/api/rounds";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Something whose answers take `ms`, and when it was read. */
function reading(ms: number) {
  const read: number[] = [];
  const made = rounds(() => {
    read.push(performance.now());
    return new Promise((done) => setTimeout(done, ms));
  });
  return { read, ...made };
}

test("events of one decision are one reading", async () => {
  const { read, ask } = reading(10);
  ask();
  ask();
  await vi.advanceTimersByTimeAsync(399);
  expect(read).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(read).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(read).toHaveLength(1);
});

test("an answer that takes long is not broken off by the next events, and none is forgotten", async () => {
  const { read, ask } = reading(2000);
  for (let at = 0; at < 10_000; at += 100) {
    ask();
    await vi.advanceTimersByTimeAsync(100);
  }
  // .4 s until the first, then 2 s of reading and 2 of pause, twice and a half.
  expect(read).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(read).toHaveLength(4);
});

test("what comes after a pause waits no longer than usual", async () => {
  const { read, ask } = reading(1000);
  ask();
  await vi.advanceTimersByTimeAsync(5000);
  ask();
  await vi.advanceTimersByTimeAsync(400);
  expect(read).toHaveLength(2);
});

test("a request that hangs is not waited for, and no pause is longer than half a minute", async () => {
  let n = 0;
  const { ask } = rounds(() => ((n += 1), new Promise(() => undefined)));
  ask();
  await vi.advanceTimersByTimeAsync(1000);
  ask();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(n).toBe(2);
});

test("a tab that has slept for hours reads again soon", async () => {
  let n = 0;
  let answer: (value?: unknown) => void = () => undefined;
  const { ask } = rounds(() => ((n += 1), new Promise((done) => (answer = done))));
  ask();
  await vi.advanceTimersByTimeAsync(400);
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 7_200_000);
  answer();
  await vi.advanceTimersByTimeAsync(0);
  ask();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(n).toBe(2);
  vi.restoreAllMocks();
});

test("nothing is read after the end", async () => {
  const { read, ask, end } = reading(10);
  ask();
  end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(read).toHaveLength(0);
});
