import { describe, expect, it } from "vitest";
import { keyFor, meaning } from "../src/keys/keys";

const press = (key: string, held: object = {}) => ({
  key,
  repeat: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

describe("keys", () => {
  it("mean what their preset says", () => {
    expect(meaning(press("a"), "tandem")).toBe("include");
    expect(meaning(press("i"), "rayyan")).toBe("include");
    expect(meaning(press("i"), "asreview")).toBe("exclude");
    expect(meaning(press("i"), "tandem")).toBeNull();
  });
  it("mean the same with Caps Lock", () => {
    expect(meaning(press("X"), "tandem")).toBe("exclude");
  });
  it("mean nothing while they are held, and leave the browser its own", () => {
    expect(meaning(press("a", { repeat: true }), "tandem")).toBeNull();
    expect(meaning(press("a", { ctrlKey: true }), "tandem")).toBeNull();
    expect(meaning(press("a", { metaKey: true }), "tandem")).toBeNull();
  });
  it("number the reasons", () => {
    expect(meaning(press("3"), "tandem")).toBe(3);
    expect(meaning(press("0"), "tandem")).toBeNull();
  });
  it("can be switched off", () => {
    expect(meaning(press("a"), "off")).toBeNull();
    expect(meaning(press("1"), "off")).toBeNull();
    expect(keyFor("include", "off")).toBeNull();
  });
  it("stand on their buttons", () => {
    expect(keyFor("include", "tandem")).toBe("A");
    expect(keyFor("maybe", "rayyan")).toBe("U");
  });
});
