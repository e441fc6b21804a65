import { describe, expect, it } from "vitest";
import type { Review } from "../src/api/queries";
import type { Conflict } from "../src/views/conflicts/conflicts";
import { maySettle } from "../src/views/conflicts/may_settle";

function asked(role: Review["role"], how: { mine: boolean; voters?: boolean }) {
  const policy = { title_abstract: { voter_may_adjudicate: how.voters ?? false }, full_text: { voter_may_adjudicate: !how.voters } };
  const decisions = [{ mine: false }, { mine: how.mine }];
  return maySettle({ role, policy } as Review, { stage: "title_abstract", decisions } as Conflict);
}

describe("who may settle a conflict", () => {
  it("is an adjudicator or owner who has no decision in it", () => {
    expect(asked("adjudicator", { mine: false })).toBe("yes");
    expect(asked("owner", { mine: false })).toBe("yes");
    expect(asked("reviewer", { mine: false })).toBe("no");
    expect(asked("reviewer", { mine: false, voters: true })).toBe("no");
  });

  it("is nobody who decided the record, unless the rules of its stage let them", () => {
    expect(asked("owner", { mine: true })).toBe("own");
    expect(asked("adjudicator", { mine: true })).toBe("own");
    expect(asked("owner", { mine: true, voters: true })).toBe("yes");
    expect(asked("reviewer", { mine: true, voters: true })).toBe("yes");
  });
});
