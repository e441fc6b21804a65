import { expect, test } from "vitest";
import { blocks, spans } from "../src/views/stopping/markdown";

const CERTIFICATE = `# Certificate of recall

Certified on 3 May 2026: recall at least 90%
with 90% confidence.

| | |
|---|---|
| Included | 100 |
| Seal | \`9f86d0\` |

Changed after it was registered:

- serving: draws_only
- target: 0.8 to 0.9

**Withdrawn.** e is 3; 10 is needed.
`;

test("a certificate is a heading, sentences, a table without its rule, and a list", () => {
  expect(blocks(CERTIFICATE)).toEqual([
    { kind: "heading", text: "Certificate of recall" },
    { kind: "paragraph", text: "Certified on 3 May 2026: recall at least 90% with 90% confidence." },
    { kind: "table", rows: [["Included", "100"], ["Seal", "`9f86d0`"]] },
    { kind: "paragraph", text: "Changed after it was registered:" },
    { kind: "list", items: ["serving: draws_only", "target: 0.8 to 0.9"] },
    { kind: "paragraph", text: "**Withdrawn.** e is 3; 10 is needed." },
  ]);
});

test("strong words and code stand out, and nothing of a text is lost", () => {
  expect(spans("**Withdrawn.** of `9f86`, a < b")).toEqual([
    { kind: "strong", text: "Withdrawn." },
    { kind: "plain", text: " of " },
    { kind: "code", text: "9f86" },
    { kind: "plain", text: ", a < b" },
  ]);
});
