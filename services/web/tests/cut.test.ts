import { describe, expect, it } from "vitest";
import { cut } from "../src/views/reports/cut";

const at = (start: number, end: number) => ({ start, end });
const texts = (text: string, passages: { start: number; end: number }[]) =>
  cut(text, passages).map((one) => (one.passage === null ? one.text : `[${one.text}]`));

describe("a text that is cut at what was found", () => {
  it("is whole where nothing was found", () => {
    expect(texts("Peer workers", [])).toEqual(["Peer workers"]);
    expect(texts("", [])).toEqual([]);
  });

  it("counts code points, not the halves of a letter", () => {
    expect(texts("𝒳 peer 𝒴 work", [at(2, 6), at(9, 13)])).toEqual(["𝒳 ", "[peer]", " 𝒴 ", "[work]"]);
  });

  it("leaves out what overlaps", () => {
    expect(texts("peer work", [at(0, 9), at(5, 9)])).toEqual(["[peer work]"]);
  });
});
