import { useEffect, useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { inAll, outdated, type Stage, STAGES, useAffected } from "../../api/queries";
import type { Verdict } from "../../outbox/entries";
import { ago, number } from "../../texts/format";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { VerdictMark } from "../../ui/icons";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Button, ButtonLink } from "../../ui/parts";
import { StageField } from "../../ui/stage_field";
import { Tabs } from "../../ui/tabs";
import { about } from "../records/records";
import { recordTexts } from "../records/texts";
import type { ViewProps } from "../review";
import { Affected } from "./affected";
import { Change } from "./change";
import "../screen/screen.css";
import "../conflicts/conflicts.css";
import "../records/records.css";

type Listing = Schemas["ListedRecordOut"];
type Filter = Verdict | "all";
const say = recordTexts.mine;

/** What I have decided, the last first; each can be changed. */
export function Mine({ review, rest }: ViewProps) {
  useTitle(say.title);
  const { outbox } = usePerson();
  const [filter, setFilter] = useState<Filter>("all");
  const [stage, setStage] = useState<Stage>("title_abstract");
  const [changing, change] = useState<Listing | null>(null);
  const affected = useAffected(review);
  useEffect(() => {
    if (outbox.entries.length > 0) void outbox.flush().then(() => outdated(review.id, "mine"));
  }, [outbox, review.id]);
  const { query, items } = usePages(["review", review.id, "mine", stage, filter], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/records", {
        params: {
          path: { review_id: review.id },
          query: { stage, order: "decided", limit: 50, ...(filter === "all" ? {} : { my_verdict: filter }), ...cursor },
        },
      }),
    ),
  );
  const [place, at] = rest.split("/");
  if (place === "again") return <Affected review={review} stage={STAGES.find((one) => one === at) ?? STAGES[0]} />;
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {affected && inAll(affected) > 0 && (
        <div class="notice warn">
          <p>
            <strong>{say.affected(inAll(affected))}</strong>
          </p>
          <p>{say.affectedMore}</p>
          <div class="actions">
            {STAGES.filter((one) => affected[one] > 0).map((one) => (
              <ButtonLink key={one} href={`/r/${review.id}/mine/again/${one}`}>
                {texts.stages[one]}: {number(affected[one])}
              </ButtonLink>
            ))}
          </div>
        </div>
      )}
      <div class="inline-form">
      <Tabs<Filter>
        label={say.title}
        value={filter}
        options={[
          ["all", say.all],
          ["include", texts.decided.include],
          ["exclude", texts.decided.exclude],
          ["maybe", texts.decided.maybe],
        ]}
        change={setFilter}
      />
      <StageField<Stage> stage={stage} change={setStage} />
      </div>
      <Listed query={query} n={items.length} empty={say.noneIn[stage]} emptyMore={<p>{say.noneMore}</p>}>
        <ul class="plainlist rows">
          {items.map((record) => (
            <Row key={record.id} record={record} {...(review.archived_at === null ? { change: () => change(record) } : {})} />
          ))}
        </ul>
      </Listed>
      {changing && (
        <Change
          key={changing.id}
          record={{ ...changing, abstract: changing.abstract ?? "" }}
          review={review}
          stage={stage}
          close={() => change(null)}
        />
      )}
    </Shell>
  );
}

function Row({ record, change }: { record: Listing; change?: () => void }) {
  const mine = record.my_decision;
  if (mine === null) return null;
  return (
    <li class="row record-row">
      <span>
        <VerdictMark verdict={mine.verdict} word={texts.decided[mine.verdict]} />
        {mine.reasons.length > 0 && <span class="small"> · {mine.reasons.join(" · ")}</span>}
        <br />
        <strong>{record.title}</strong>
        <br />
        <span class="soft small">
          {about(record)} · {say.decided(ago(mine.decided_at))}
          {mine.classification && ` · ${texts.screen.including.names[mine.classification]}`}
        </span>
        {mine.note && <p class="quote">{mine.note}</p>}
      </span>
      {change && (
        <Button onClick={change} aria-label={`${say.change}: ${record.title}`}>
          {say.change}
        </Button>
      )}
    </li>
  );
}
