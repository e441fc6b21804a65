import { expect, test } from "vitest";
import { languageCode } from "../src/texts/language";

test("languages are known by their code, their name and the letters of MEDLINE", () => {
  expect(["en", "en-GB", "English", " german", "ger", "eng", "fre", "ita"].map(languageCode)).toEqual([
    "en", "en-gb", "en", "de", "de", "en", "fr", "it",
  ]);
  expect([null, "", "Multilingual", "undetermined", "x1"].map(languageCode)).toEqual(Array(5).fill(undefined));
});
