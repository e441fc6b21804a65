import { describe, expect, it } from "vitest";
import type { Review } from "../src/api/queries";
import { asked } from "../src/views/records/asked";

const policy = { title_abstract: { blind: true }, full_text: { blind: false } } as Review["policy"];
const blinded = { role: "reviewer", policy } as const;
const owner = { role: "owner", policy } as const;

describe("what a list of records is asked for", () => {
  it("is what the address says", () => {
    const filters = { q: "peer", source: "Medline", label: "odd", mine: "maybe", from: "1999", to: "2020", abstract: "false", order: "year" };
    expect(asked(owner, { ...filters, status: "conflict" })).toEqual({
      stage: "title_abstract",
      order: "year",
      q: "peer",
      source: "Medline",
      label: "odd",
      status: "conflict",
      my_verdict: "maybe",
      year_from: 1999,
      year_to: 2020,
      has_abstract: false,
    });
  });

  it("never is a status that tells a blinded person how others voted", () => {
    const first = { stage: "title_abstract", order: "rank" };
    for (const status of ["awaiting", "conflict", "included", "excluded"]) expect(asked(blinded, { status })).toEqual(first);
    expect(asked(blinded, { status: "done" })).toEqual({ ...first, status: "done" });
    const open = { stage: "full_text", status: "included" };
    expect(asked(blinded, open)).toEqual({ ...first, ...open });
  });

  it("is nothing of what is typed halfway, or is no choice", () => {
    const none = { stage: "title_abstract", order: "rank" };
    for (const from of ["19", "19999", "1e3", "-200", "abcd"]) expect(asked(owner, { from })).toEqual(none);
    expect(asked(owner, { order: "decided", mine: "done", abstract: "yes", stage: "x" })).toEqual(none);
  });
});
