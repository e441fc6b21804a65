import { describe, expect, it } from "vitest";
import type { Entry } from "../src/outbox/entries";
import { firstView, onlySettles, unsentOf } from "../src/views/reviews/first";

const standing = { n_records: 80, n_decided_by_me: 0, left: 80, atFullText: 0, conflicts: null };

describe("where somebody begins in a review", () => {
  it("is the next record for who screens", () => {
    expect(firstView({ ...standing, role: "reviewer" })).toBe("screen");
    expect(firstView({ ...standing, role: "owner", conflicts: 3 })).toBe("screen");
    expect(firstView({ ...standing, role: "reviewer", left: 0 })).toBe("progress");
  });

  it("is a conflict, and never a record, for an adjudicator who has screened nothing", () => {
    expect(firstView({ ...standing, role: "adjudicator", conflicts: 2 })).toBe("conflicts");
    expect(firstView({ ...standing, role: "adjudicator", conflicts: 0 })).toBe("progress");
    expect(onlySettles("adjudicator", 0)).toBe(true);
  });

  it("is the next record for an adjudicator who screens, too, once nothing waits to be settled", () => {
    const screens = { ...standing, role: "adjudicator", n_decided_by_me: 5 } as const;
    expect(firstView({ ...screens, conflicts: 2 })).toBe("conflicts");
    expect(firstView({ ...screens, conflicts: 0 })).toBe("screen");
    expect(onlySettles("adjudicator", 5)).toBe(false);
  });

  it("is a full text once no title is left", () => {
    const reads = { ...standing, atFullText: 3 } as const;
    expect(firstView({ ...reads, role: "reviewer" })).toBe("screen");
    expect(firstView({ ...reads, role: "reviewer", left: 0 })).toBe("reports/screen");
    expect(firstView({ ...reads, role: "adjudicator", left: 0 })).toBe("progress");
    expect(firstView({ ...reads, role: "adjudicator", left: 0, n_decided_by_me: 5, conflicts: 1 })).toBe("conflicts");
  });

  it("is the import for an owner without records, and how far it is for all others", () => {
    expect(firstView({ ...standing, role: "owner", n_records: 0, left: 0 })).toBe("import");
    expect(firstView({ ...standing, role: "reviewer", n_records: 0, left: 0 })).toBe("progress");
    expect(firstView({ ...standing, role: "observer", left: null })).toBe("progress");
  });
});

it("counts what is not sent at its own stage", () => {
  const entry = (review: string, stage: Entry["stage"], kind: Entry["kind"]) => ({ review, stage, kind }) as Entry;
  const entries = [
    entry("a", "title_abstract", "decide"),
    entry("a", "full_text", "decide"),
    entry("a", "full_text", "decide"),
    entry("a", "full_text", "withdraw"),
    entry("b", "title_abstract", "decide"),
  ];
  expect(unsentOf(entries, "a")).toEqual({ title_abstract: 1, full_text: 2 });
});
