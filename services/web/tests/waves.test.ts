import { describe, expect, it } from "vitest";
import { searches } from "../src/api/waves";
import { hasFound } from "../src/views/flow/asked";

it("has found nothing where only reports of the earlier version are", () => {
  const boxes = (of: Record<string, number>) =>
    Object.fromEntries(Object.entries(of).map(([key, n]) => [key, { n }])) as unknown as Parameters<typeof hasFound>[0];
  expect(hasFound(boxes({ previous_studies: 7, previous_reports: 7, database_results: 0, total_reports: 7 }))).toBe(false);
  expect(hasFound(boxes({ database_results: 0, citations_results: 1 }))).toBe(true);
});

describe("the searches of a review", () => {
  it("are a choice from the first update on", () => {
    expect(searches([{ wave: 2, label: "Update" }], "First search")).toEqual([
      [1, "First search"],
      [2, "Update"],
    ]);
  });

  it("are none while there is one", () => {
    expect(searches([], "First search")).toEqual([]);
  });
});
