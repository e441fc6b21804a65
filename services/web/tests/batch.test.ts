import { afterEach, expect, it, vi } from "vitest";
import type { Entry } from "../src/outbox/entries";

const JUDGEMENT = { verdict: "include" as const, reasons: [], labels: [], note: null, seconds: 1 };
const entry: Entry = {
  review: "r", record: "1", stage: "title_abstract", title: "1", kind: "decide", judgement: JUDGEMENT, basis: null,
  key: "k1", user: "ann", made_at: "2099-01-01T00:00:00Z", after: null, tried: true, batch: "together", tab: "t",
};
const json = (body: unknown, status: number) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const refused = (record_id: string, status: number, code: string) =>
  ({ record_id, status, decision: null, record: null, error: { code, detail: "" } });

/** The requests that are sent; each is answered by the next of `answers`. */
function server(answers: Response[]): Request[] {
  const asked: Request[] = [];
  const Plain = globalThis.Request;
  vi.stubGlobal("location", { href: "http://x/", pathname: "/" });
  vi.stubGlobal("Request", class extends Plain {
    constructor(to: string | Request, how?: RequestInit) {
      super(typeof to === "string" && to.startsWith("/") ? `http://x${to}` : to, how);
    }
  });
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    return answers.shift();
  });
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it("names its person and its key, and what alone would be mended is sent alone", async () => {
  const items = [refused("1", 422, "invalid"), refused("2", 409, "is_duplicate"), refused("3", 409, "newer_decision")];
  const asked = server([
    json({ items }, 207),
    json({ code: "invalid", detail: "", status: 422, errors: [{ field: "body.made_at", message: "" }] }, 422),
    json({ code: "is_duplicate", detail: "", status: 409, record_id: "9" }, 409),
    json({ code: "newer_decision", detail: "", status: 409 }, 409),
  ]);
  const { sendMany } = await import("../src/outbox/sending");
  const outcomes = await sendMany([entry, { ...entry, key: "k2", record: "2" }, { ...entry, key: "k3", record: "3" }]);
  expect(outcomes.map((one) => one.kind)).toEqual(["changed", "changed", "refused"]);
  expect(asked.map((one) => one.headers.get("Idempotency-Key"))).toEqual(["together", "k1", "k2", "k3"]);
  expect(asked.map((one) => one.headers.get("Tandem-User"))).toEqual(["ann", "ann", "ann", "ann"]);
});

it("of files names whose page they are of", async () => {
  const headers: Record<string, string> = {};
  server([]);
  vi.stubGlobal("XMLHttpRequest", class {
    upload = {};
    open() {}
    setRequestHeader(name: string, value: string) {
      headers[name] = value;
    }
    send() {}
  });
  const { actAs } = await import("../src/api/client");
  const { send } = await import("../src/api/sending");
  actAs("ann");
  void send("reviews/r/imports", new FormData(), () => undefined);
  expect(headers["Tandem-User"]).toBe("ann");
});
