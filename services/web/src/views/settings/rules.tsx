import { useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { Button, Field, Problem } from "../../ui/parts";
import { useChange } from "./settings";
import { settingsTexts as say } from "./texts";

type Policy = Schemas["Policy"];

const EDITED_MS = 400;

/** How records are decided and conflicts settled; a change shows first what it would do. */
export function Rules({ review }: { review: Review }) {
  const now = review.policy.title_abstract;
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
    queryKey: ["review", review.id, "preview", body],
    queryFn: () =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}", {
          params: { path: { review_id: review.id }, query: { dry_run: true } },
          body: { policy: { title_abstract: body } },
        }),
      ),
    enabled: Object.keys(body).length > 0,
  });
  const set = (part: Partial<Policy>) => setPolicy({ ...policy, ...part });
  const check = (name: "blind" | "reasons_must_match" | "voter_may_adjudicate" | "single_include_advances") => (
    <label class="check">
      <input type="checkbox" checked={policy[name]} onChange={() => set({ [name]: !policy[name] })} />
      {say.policy[name]}
    </label>
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    change.mutate({ policy: { title_abstract: differing(now, policy) } });
  };
  return (
    <form class="card form" onSubmit={submit}>
      <h2>{say.rules}</h2>
      <p class="hint">{say.rulesMore}</p>
      <Choice
        label={say.policy.reviewers_per_record}
        value={String(policy.reviewers_per_record)}
        options={{ 1: "1", 2: "2", 3: "3" }}
        change={(value) => set({ reviewers_per_record: Number(value) as 1 })}
      />
      {check("blind")}
      <Choice label={say.policy.maybe} value={policy.maybe} options={say.policy.maybes} change={(maybe) => set({ maybe: maybe as "conflict" })} />
      {check("reasons_must_match")}
      <Choice
        label={say.policy.resolution}
        value={policy.resolution}
        options={say.policy.resolutions}
        change={(resolution) => set({ resolution: resolution as "consensus" })}
      />
      {check("voter_may_adjudicate")}
      <Choice
        label={say.policy.adjudicator_sees}
        value={policy.adjudicator_sees}
        options={say.policy.sees}
        change={(adjudicator_sees) => set({ adjudicator_sees: adjudicator_sees as "all" })}
      />
      {check("single_include_advances")}
      <Choice
        label={say.policy.ranking_learns_from}
        value={policy.ranking_learns_from}
        options={say.policy.learns}
        change={(value) => set({ ranking_learns_from: value as "all" })}
      />
      {isChanged ? (
        <div class="notice warn" role="status">
          <strong>{say.effects}</strong>
          {preview.data?.effects.map((effect) => <Effect key={effect.stage} effect={effect} />)}
          {preview.error && <Problem error={preview.error} />}
        </div>
      ) : (
        <p class="soft small">{say.unchanged}</p>
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

interface ChoiceProps {
  label: string;
  value: string;
  options: Record<string, string>;
  change: (value: string) => void;
}

function Choice({ label, value, options, change }: ChoiceProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} value={value} onChange={(event) => change(event.currentTarget.value)}>
          {Object.entries(options).map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Only what differs from the present rules. */
export function differing(now: Policy, next: Policy): Schemas["PolicyIn"] {
  const changed = Object.entries(next).filter(([name, value]) => now[name as keyof Policy] !== value);
  return Object.fromEntries(changed) as Schemas["PolicyIn"];
}
