import { describe, expect, it } from "vitest";
import { changes } from "../src/views/mine/changes";

const version = (version: number, include: string[], exclude: string[], note: string | null = null) => ({
  version,
  include,
  exclude,
  note,
  created_at: `2026-11-0${version}T08:00:00Z`,
  created_by: "olga",
  created_by_name: "Olga",
});

describe("what the versions of the criteria have changed", () => {
  it("is nothing while there is one", () => {
    expect(changes([version(1, ["Peers"], [])])).toEqual([]);
    expect(changes([])).toEqual([]);
  });

  it("names what each has added and taken out, the last first", () => {
    const found = changes([
      version(3, ["Paid peers", "Adults"], [], "Volunteers slipped in"),
      version(2, ["Peers", "Adults"], []),
      version(1, ["Peers"], ["Protocols"]),
    ]);
    expect(found.map(({ version, note, added, gone }) => ({ version, note, added, gone }))).toEqual([
      { version: 3, note: "Volunteers slipped in", added: { include: ["Paid peers"], exclude: [] }, gone: { include: ["Peers"], exclude: [] } },
      { version: 2, note: null, added: { include: ["Adults"], exclude: [] }, gone: { include: [], exclude: ["Protocols"] } },
    ]);
  });
});
