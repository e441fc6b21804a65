import { prefix } from "../../api/address";
import { api, data } from "../../api/client";
import { usePages } from "../../api/pages";
import type { Review } from "../../api/queries";
import { number } from "../../texts/format";
import { texts } from "../../texts/en";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { ButtonLink, Loading, Problem } from "../../ui/parts";
import type { ViewProps } from "../review";
import { AuditCard } from "./audit";
import { Begin } from "./begin";
import { Certificate } from "./certificate";
import { Signs, Team } from "./signs";
import { isWhole, STAGE, useStopping, type Whole } from "./queries";
import { stoppingTexts as say } from "./texts";
import "./stopping.css";

/** Whether the team may stop: as much of it as the person may know. */
export function Stopping({ review, rest }: ViewProps) {
  const [what, audit] = rest.split("/");
  if (what === "certificate" && audit) return <Certificate review={review} audit={audit} />;
  return <Overview review={review} />;
}

function Overview({ review }: { review: Review }) {
  useTitle(say.title);
  const stopping = useStopping(review.id);
  const found = stopping.data;
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {stopping.isPending && <Loading />}
      {stopping.error && <Problem error={stopping.error} again={() => void stopping.refetch()} />}
      {found && (isWhole(found) ? <Panel review={review} found={found} /> : <Own review={review} {...found} />)}
    </Shell>
  );
}

/** The little that a single reviewer is shown. */
function Own(props: { review: Review; note: string | null; remaining_for_you: number }) {
  const { review, note, remaining_for_you: left } = props;
  return (
    <section class="card stack">
      <h2>{say.forYou}</h2>
      {note !== null && (
        <p>
          <strong>{note}</strong>
        </p>
      )}
      <p>{say.leftForYou(left)}</p>
      <p class="hint">{say.ownMore}</p>
      {left > 0 && (
        <div class="actions">
          <ButtonLink kind="main" href={`/r/${review.id}/screen`}>
            {texts.nav.screen}
          </ButtonLink>
        </div>
      )}
    </section>
  );
}

function Panel({ review, found }: { review: Review; found: Whole }) {
  const counts = [
    [say.figures.records, found.n_records],
    [say.figures.settled, found.n_settled],
    [say.figures.included, found.n_included],
    [say.figures.pending, found.n_pending],
    [say.figures.pool, found.n_pool],
  ] as const;
  return (
    <>
      {found.audit ? (
        <AuditCard review={review} audit={found.audit} blocking={found.blocking} />
      ) : (
        <Begin review={review} found={found} />
      )}
      <Meaning />
      <section class="card stack">
        <h2>{say.standing}</h2>
        <dl class="facts">
          {counts.map(([name, n]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{number(n)}</dd>
            </div>
          ))}
        </dl>
        <img
          class="plot"
          alt={say.plotAlt}
          src={`${prefix}/api/v1/reviews/${review.id}/plots/stopping.svg?stage=${STAGE}#${found.as_of_seq}`}
        />
      </section>
      <Signs display={found.display} />
      <Team team={found.team} />
      <Earlier review={review} now={found.audit?.id ?? null} />
    </>
  );
}

function Meaning() {
  return (
    <section class="card stack">
      <h2>{say.meaning}</h2>
      <div class="halves">
        <div>
          <h3>{say.says}</h3>
          <ul>
            {say.saysItems.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
        <div>
          <h3>{say.saysNot}</h3>
          <ul>
            {say.saysNotItems.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}

/** Audits that are over, with the way to their certificates. */
function Earlier({ review, now }: { review: Review; now: string | null }) {
  const { items } = usePages(["review", review.id, "stopping", "audits"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/audits", {
        params: { path: { review_id: review.id }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  const over = items.filter((one) => one.id !== now);
  if (over.length === 0) return null;
  return (
    <section class="card stack">
      <h2>{say.earlier}</h2>
      <ul class="plainlist rows">
        {over.map((one) => (
          <li class="row" key={one.id}>
            <span>
              {say.aims(one.certified_recall ?? one.target_recall, one.confidence)} · {say.states[one.state]}
              <br />
              <span class="soft small">{say.drawn(one.n_draws, one.n_draw_includes)}</span>
            </span>
            {(one.certified_recall !== null || one.state === "withdrawn") && (
              <ButtonLink href={`/r/${review.id}/stopping/certificate/${one.id}`}>{say.certificate}</ButtonLink>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
