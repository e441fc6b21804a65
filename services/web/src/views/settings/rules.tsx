import { useQuery } from "@tanstack/preact-query";
import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Button, Field, Problem } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import { useChange } from "./settings";
import { settingsTexts as say } from "./texts";

type Stage = Schemas["Stage"];
type Policy = Schemas["Policy"];
/** The fields that are yes or no; of the others one value is chosen. */
type Switch = { [name in keyof Policy]: Policy[name] extends boolean ? name : never }[keyof Policy];
type Choice = Exclude<keyof Policy, Switch>;

const EDITED_MS = 400;

/** How records are decided and conflicts settled, in each stage. */
export function Rules({ review }: { review: Review }) {
  const [stage, choose] = useState<Stage>("title_abstract");
  return (
    <section class="card form">
      <h2>{say.rules}</h2>
      <p class="hint">{say.rulesMore}</p>
      <StageField stage={stage} change={choose} />
      <RulesOf key={stage} stage={stage} review={review} />
    </section>
  );
}

/** The rules of one stage; a change shows first what it would do. */
function RulesOf({ stage, review }: { stage: Stage; review: Review }) {
  const now = review.policy[stage];
  const [policy, setPolicy] = useState<Policy>(now);
  const [settled, setSettled] = useState<Policy>(now);
  const change = useChange(review.id);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(policy), EDITED_MS);
    return () => clearTimeout(timer);
  }, [policy]);
  const body = differing(now, settled);
  const isChanged = Object.keys(differing(now, policy)).length > 0;
  const preview = useQuery({
    queryKey: ["review", review.id, "preview", stage, body],
    queryFn: () =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}", {
          params: { path: { review_id: review.id }, query: { dry_run: true } },
          body: { policy: { [stage]: body } },
        }),
      ),
    enabled: Object.keys(body).length > 0,
  });
  const set = (part: Partial<Policy>) => setPolicy({ ...policy, ...part });
  const check = (name: Switch) => (
    <label class="check">
      <input type="checkbox" checked={policy[name]} onChange={() => set({ [name]: !policy[name] })} />
      {say.policy[name]}
    </label>
  );
  const choice = <Name extends Choice>(name: Name, options: Record<Policy[Name], string>) => (
    <Field label={say.policy[name]}>
      {(ids) => (
        <select {...ids} value={policy[name]} onChange={(event) => set({ [name]: like(policy[name], event.currentTarget.value) })}>
          {Object.entries<string>(options).map(([one, shown]) => (
            <option key={one} value={one}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  /** In the order of the page; the compiler wants every field of the policy. */
  const fields: Record<keyof Policy, ComponentChild> = {
    reviewers_per_record: choice("reviewers_per_record", { 1: "1", 2: "2", 3: "3" }),
    blind: check("blind"),
    maybe: choice("maybe", say.policy.maybes),
    reasons_must_match: check("reasons_must_match"),
    resolution: choice("resolution", say.policy.resolutions),
    voter_may_adjudicate: check("voter_may_adjudicate"),
    adjudicator_sees: choice("adjudicator_sees", say.policy.sees),
    single_include_advances: stage === "title_abstract" && check("single_include_advances"),
    ranking_learns_from: stage === "title_abstract" && choice("ranking_learns_from", say.policy.learns),
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    change.mutate({ policy: { [stage]: differing(now, policy) } });
  };
  return (
    <form class="form" onSubmit={submit}>
      {Object.values(fields)}
      {isChanged ? (
        <div class="notice warn" role="status">
          <strong>{say.effects}</strong>
          {preview.data?.effects.map((effect) => <Effect key={effect.stage} effect={effect} />)}
          {preview.error && <Problem error={preview.error} />}
        </div>
      ) : (
        <p class="soft small" role="status">
          {change.isSuccess ? texts.saved : say.unchanged}
        </p>
      )}
      {change.error && <Problem error={change.error} />}
      <div class="actions">
        <Button kind="main" type="submit" disabled={!isChanged || change.isPending}>
          {say.apply}
        </Button>
      </div>
    </form>
  );
}

function Effect({ effect }: { effect: Schemas["EffectOut"] }) {
  if (effect.note) return <p>{effect.note}</p>;
  const parts = [
    [effect.n_records_changed, say.changed],
    [effect.n_conflicts_opened, say.opened],
    [effect.n_conflicts_closed, say.closed],
  ] as const;
  const says = parts.flatMap(([n, tell]) => (n ? [tell(n)] : []));
  return <p>{says.length === 0 ? say.noEffect : says.join(" ")}</p>;
}

/** What a select says is a text; the number of reviewers is none. */
const like = (now: string | number, chosen: string) => (typeof now === "number" ? Number(chosen) : chosen);

/** Only what differs from the present rules. */
export function differing(now: Policy, next: Policy): Schemas["PolicyIn"] {
  const changed = Object.entries(next).filter(([name, value]) => now[name as keyof Policy] !== value);
  return Object.fromEntries(changed) as Schemas["PolicyIn"];
}
