import { describe, expect, it } from "vitest";
import { parts, pattern, sections } from "../src/highlight/highlight";

const marked = (text: string, words: Parameters<typeof pattern>[0]) =>
  parts(text, pattern(words))
    .filter((part) => part.tone !== null)
    .map((part) => `${part.text}:${part.tone}`);

describe("highlights", () => {
  it("marks whole words, whatever their case", () => {
    expect(marked("Peer work and peers", { for: ["peer"], against: [] })).toEqual(["Peer:for"]);
  });
  it("marks every ending of a word with a star", () => {
    expect(marked("volunteers, volunteering", { for: [], against: ["volunteer*"] })).toEqual([
      "volunteers:against",
      "volunteering:against",
    ]);
  });
  it("prefers the longer of two words", () => {
    const words = { for: ["peer worker"], against: ["peer"] };
    expect(marked("a peer worker, a peer", words)).toEqual(["peer worker:for", "peer:against"]);
  });
  it("knows the borders of words in every script", () => {
    expect(marked("naïve naïveté", { for: ["naïve"], against: [] })).toEqual(["naïve:for"]);
    expect(marked("für fürsorge", { for: ["für"], against: [] })).toEqual(["für:for"]);
  });
  it("takes signs in a word for what they are", () => {
    expect(marked("COVID (19) a.b axb", { for: ["a.b"], against: [] })).toEqual(["a.b:for"]);
    expect(marked("nothing", { for: ["*", "", "("], against: [] })).toEqual([]);
  });
  it("gives the whole text back", () => {
    const text = "One <b>two</b> three two";
    const made = parts(text, pattern({ for: ["two"], against: [] }));
    expect(made.map((part) => part.text).join("")).toBe(text);
  });
});

describe("sections of an abstract", () => {
  it("cuts at the headings of structured abstracts", () => {
    const found = sections("BACKGROUND: Peers. Design and methods: Ten women. RESULTS: Much.");
    expect(found.map((one) => one.heading)).toEqual(["BACKGROUND", "Design and methods", "RESULTS"]);
    expect(found.map((one) => one.text)).toEqual(["Peers.", "Ten women.", "Much."]);
  });
  it("leaves a text without headings whole", () => {
    const text = "We found: nothing. They said: much.";
    expect(sections(text)).toEqual([{ heading: null, text }]);
  });
  it("loses no word", () => {
    const text = "Intro. Methods: a b. Results: c. Note: d.";
    const said = sections(text).flatMap((one) => [one.heading ? `${one.heading}:` : "", one.text]);
    expect(said.filter(Boolean).join(" ")).toBe(text);
  });
});
