import type { ComponentChildren } from "preact";
import { decimals, number, percent } from "../../texts/format";
import type { Whole } from "./queries";
import { stoppingTexts as say } from "./texts";

/** The usual heuristics, each beside what it assumes. */
export function Signs({ display }: { display: Whole["display"] }) {
  const { hypergeometric: test, projected } = display;
  return (
    <section class="card stack">
      <h2>{say.display}</h2>
      <p class="notice warn">{display.assumption}</p>
      <dl class="signs">
        <Sign name={say.runs} assumes={say.runsAssume(display.run_bar.map(number).join(" or "))}>
          {number(display.run_since_include)}
        </Sign>
        <Sign name={say.knee} assumes={say.kneeAssume}>
          {display.knee_ratio === null ? say.kneeNone : decimals(display.knee_ratio)}
        </Sign>
        <Sign name={say.p(test.target_recall)} assumes={say.pAssume}>
          {decimals(test.p)}
        </Sign>
        <Sign name={say.supported}>
          {test.supported_recall_95 === null ? say.tooEarly : percent(test.supported_recall_95)}
        </Sign>
        <Sign name={say.projected} assumes={say.projectedAssume}>
          {projected === null ? say.tooEarly : say.projectedValue(projected.includes_left, projected.low, projected.high)}
        </Sign>
      </dl>
    </section>
  );
}

function Sign({ name, assumes, children }: { name: string; assumes?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>
        {name}
        {assumes && <span class="hint">{assumes}</span>}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What double reading says of records that the team itself misses. */
export function Team({ team }: { team: Whole["team"] }) {
  return (
    <section class="card stack">
      <h2>{say.team}</h2>
      {team === null ? <p class="soft">{say.teamNone}</p> : <TeamFigures team={team} />}
    </section>
  );
}

function TeamFigures({ team }: { team: NonNullable<Whole["team"]> }) {
  const share = (value: number | null) => (value === null ? say.tooEarly : percent(value));
  return (
    <>
      <dl class="facts">
        <Fact name={say.teamBoth}>{number(team.both)}</Fact>
        <Fact name={say.teamOnly}>
          {number(team.only_1)} · {number(team.only_2)}
        </Fact>
        {team.chapman_missed !== null && (
          <>
            <Fact name={say.teamOne}>
              {share(team.sensitivity_1)} · {share(team.sensitivity_2)}
            </Fact>
            <Fact name={say.teamTogether}>{share(team.sensitivity_team)}</Fact>
            <Fact name={say.teamMissed}>{team.chapman_missed.toFixed(1)}</Fact>
          </>
        )}
      </dl>
      {team.chapman_missed === null && <p class="soft">{say.teamFew}</p>}
      <p class="hint">{team.note}</p>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
