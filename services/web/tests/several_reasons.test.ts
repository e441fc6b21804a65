import { describe, expect, it } from "vitest";
import { chosen, shown } from "../src/views/mine/several_reasons";

const SEVERAL = ["no interviews", "not in English"];

describe("the reasons of a decision that is changed", () => {
  it("all stay where only the note is changed", () => {
    expect(chosen(shown(SEVERAL) ?? "", SEVERAL)).toEqual(SEVERAL);
    expect(chosen(shown(["no interviews"]) ?? "", ["no interviews"])).toEqual(["no interviews"]);
  });

  it("give way to another choice, or to none", () => {
    expect(chosen("protocol", SEVERAL)).toEqual(["protocol"]);
    expect(chosen("no interviews", SEVERAL)).toEqual(["no interviews"]);
    expect(chosen("", SEVERAL)).toEqual([]);
    expect(chosen("", [])).toEqual([]);
  });

  it("are shown as none where there are none", () => {
    expect(shown([])).toBeNull();
  });
});
