import { describe, expect, it } from "vitest";
import { forEach } from "../src/api/each";
import { type Problem, Refused, Unreachable } from "../src/api/problem";

const refusal = (code: Problem["code"], status = 409) => new Refused({ title: "", status, code, detail: "No." });
const TROUBLE = [refusal("unavailable", 503), refusal("too_many_requests", 429), refusal("internal", 500)];

describe("one write for each of many", () => {
  it("goes on after a refusal and says which it was", async () => {
    const refused = refusal("was_screened");
    const seen: number[] = [];
    const told = await forEach(
      ["1", "2", "3"],
      async (id) => {
        if (id === "2") throw refused;
      },
      (n) => seen.push(n),
    );
    expect(told).toEqual({ done: ["1", "3"], refused: [{ id: "2", error: refused }], left: [], stopped: null });
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([new Unreachable(), refusal("unauthenticated"), refusal("forbidden"), ...TROUBLE])(
    "ends where no other would be taken, and names what is left",
    async (error) => {
      const tried: string[] = [];
      const told = await forEach(["1", "2", "3"], async (id) => {
        tried.push(id);
        if (id === "2") throw error;
      });
      expect(told).toEqual({ done: ["1"], refused: [], left: ["2", "3"], stopped: error });
      expect(tried).toEqual(["1", "2"]);
    },
  );
});
