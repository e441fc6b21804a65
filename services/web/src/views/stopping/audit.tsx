import { Link } from "wouter-preact";
import type { Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { onDay } from "../../texts/format";
import { ButtonLink, Meter } from "../../ui/parts";
import { AuditActions } from "./actions";
import { Draws } from "./draws";
import type { Audit } from "./queries";
import { stoppingTexts as say } from "./texts";

interface Props {
  review: Review;
  audit: Audit;
  blocking: Schemas["BlockingOut"][];
}

/** The audit on its way: the evidence, what it waits for, and what an owner may do. */
export function AuditCard({ review, audit, blocking }: Props) {
  const isProven = audit.state === "certified";
  return (
    <section class="card stack">
      <div class="head">
        <h2>{say.aims(audit.target_recall, audit.confidence)}</h2>
        <span class={`chip state-${audit.state}`}>{say.states[audit.state]}</span>
      </div>
      <p>{audit.sentences[0]}</p>
      <Evidence audit={audit} />
      <Blocking review={review} blocking={blocking} />
      {(audit.certified_recall !== null || audit.state === "withdrawn") && (
        <div class="actions">
          <ButtonLink kind={isProven ? "main" : "plain"} href={`/r/${review.id}/stopping/certificate/${audit.id}`}>
            {say.certificate}
          </ButtonLink>
        </div>
      )}
      {review.role === "owner" && review.archived_at === null && <AuditActions review={review} audit={audit} />}
      {audit.n_pending > 0 && <Draws review={review} audit={audit} isPending />}
      <details>
        <summary>{say.draws}</summary>
        <Draws review={review} audit={audit} />
      </details>
      <Frame audit={audit} />
    </section>
  );
}

/** How far the evidence is on its way, on the scale on which each draw without a find is a step. */
function Evidence({ audit }: { audit: Audit }) {
  const words = (audit.e_provisional ? say.evidenceLeast : say.evidence)(audit.e, audit.e_needed);
  const done = Math.max(0, Math.log(Math.max(audit.e, Number.MIN_VALUE)));
  return (
    <div class="evidence">
      <p class="evidence-number">{words}</p>
      <Meter value={Math.min(done, Math.log(audit.e_needed))} of={Math.log(audit.e_needed)} label={words} />
      <p class="soft small">
        {say.drawn(audit.n_draws, audit.n_draw_includes)}
        {audit.draws_to_go_if_none > 0 && ` · ${say.toGo(audit.draws_to_go_if_none)}`}
      </p>
      {audit.e_provisional && <p class="hint">{say.evidenceProvisional}</p>}
      {audit.state !== "certified" && <p class="hint">{say.evidenceBelow}</p>}
      {audit.recall_low !== null && <p class="hint">{say.recallLow(audit.recall_low)}</p>}
    </div>
  );
}

const WHERE: Record<string, string> = { conflict: "conflicts", awaiting: "records", outside_frame: "records" };

function Blocking({ review, blocking }: { review: Review; blocking: Schemas["BlockingOut"][] }) {
  if (blocking.length === 0) return null;
  return (
    <div class="notice warn">
      <h3>{say.blocking}</h3>
      <ul class="effects">
        {blocking.map(({ kind, n }) => {
          const words = say.blocks[kind]?.(n) ?? say.blocked(kind, n);
          const to = WHERE[kind];
          return <li key={kind}>{to ? <Link href={`/r/${review.id}/${to}`}>{words}</Link> : words}</li>;
        })}
      </ul>
    </div>
  );
}

function Frame({ audit }: { audit: Audit }) {
  const { outside_frame: outside } = audit;
  return (
    <details>
      <summary>{say.frame}</summary>
      <div class="stack">
        <p>
          {say.registeredBy(audit.by_name, onDay(audit.registered_at))} {say.frameIs(audit.frame.n, audit.frame.last)}
        </p>
        {audit.note && <p class="soft">{audit.note}</p>}
        {outside.settled + outside.unsettled > 0 && (
          <p>{say.outside(outside.settled, outside.includes, outside.unsettled)}</p>
        )}
        {audit.carried !== null && audit.carried !== 1 && <p>{say.carried(audit.carried)}</p>}
        <p class="small">{say.seal}</p>
        <code class="secret">{audit.frame.sha256}</code>
        {audit.seed_revealed && (
          <>
            <p class="small">{say.seed}</p>
            <code class="secret">{audit.seed_revealed}</code>
          </>
        )}
        {audit.changes.length > 0 && (
          <>
            <h3>{say.changes}</h3>
            <ul>
              {audit.changes.map((one) => (
                <li key={`${one.seq} ${one.what}`}>{one.what}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </details>
  );
}

