// Does with the recipe of docs/front-ends.md what a page does, against the server that is named.
import assert from "node:assert/strict";
import { allRecords, data, decide, follow, nextRecords, Refused, tandem, upload } from "./recipe.js";

const [address = "", token = ""] = process.argv.slice(2);
const api = tandem(address, token);

const review = data(await api.POST("/api/v1/reviews", { body: { title: "From TypeScript" } }));
assert.equal(review.policy.title_abstract.reviewers_per_record, 2);

const file = new File(["TY  - JOUR\nTI  - A title\nER  - \n"], "one.ris");
const sent = await upload(api, review.id, file, "Medline");
assert.equal(sent.state, "queued");
assert.equal(sent.filename, "one.ris");
assert.deepEqual(await nextRecords(api, review.id), []);

const others = data(await api.GET("/api/v1/reviews", {})).items;
const team = others.find((one) => one.id !== review.id);
assert.ok(team);
const records = await allRecords(api, team.id);
const record = records[0];
assert.ok(record);

const first = await decide(api, team.id, record.id, "include", null, team.criteria_version);
assert.ok(first.isMine && first.stands?.verdict === "include");
const second = await decide(api, team.id, record.id, "exclude", null, team.criteria_version);
assert.ok(!second.isMine && second.stands?.id === first.stands.id);

try {
  await nextRecords(api, "nowhere");
  assert.fail("it is refused");
} catch (error) {
  assert.ok(error instanceof Refused);
  assert.equal(error.problem.code, "not_found");
}

const stop = new AbortController();
for await (const event of follow(address, team.id, { token, signal: stop.signal })) {
  if (event.type === "tandem.decision.recorded") break;
}
stop.abort();
console.log("done");
