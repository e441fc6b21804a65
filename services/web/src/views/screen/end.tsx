import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Button, ButtonLink, Empty } from "../../ui/parts";
import type { Session } from "./session";

type Ends = Partial<typeof texts.screen.ends>;
type State = Exclude<NonNullable<Session["queue"]>["state"], "ready"> | "observer" | "archived";

/** Why there is no record to read, and the way on. */
export function End({ review, session, state, ends: own }: { review: Review; session: Session; state: State; ends: Ends }) {
  const ends = { ...texts.screen.ends, ...own };
  const at = (view: string) => `/r/${review.id}/${view}`;
  const isNothing = state === "finished" && session.decided === 0;
  const more = state === "finished" ? ends.finishedMore(session.decided) : ends[`${state}More`];
  const withheld = session.queue?.withheld ?? 0;
  return (
    <Empty title={isNothing ? ends.nothing : ends[state]}>
      <p>{isNothing ? ends.nothingMore : more}</p>
      {withheld > 0 && <p class="soft">{texts.screen.withheld(withheld)}</p>}
      <div class="actions">
        {state === "waiting" && (
          <Button kind="main" onClick={() => void session.fill()}>
            {texts.screen.lookAgain}
          </Button>
        )}
        {state === "empty" && session.stage === "title_abstract" && review.role === "owner" && (
          <ButtonLink kind="main" href={at("import")}>
            {texts.nav.import}
          </ButtonLink>
        )}
        {session.stage === "full_text" && <ButtonLink href={at("reports")}>{texts.nav.reports}</ButtonLink>}
        {session.canUndo && <Button onClick={() => session.undo()}>{texts.screen.undo}</Button>}
        {state === "pilot_done" && review.role === "owner" && <ButtonLink href={at("team")}>{texts.nav.team}</ButtonLink>}
        {state !== "empty" && <ButtonLink href={at("progress")}>{texts.nav.progress}</ButtonLink>}
      </div>
    </Empty>
  );
}
