import type { Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Button, ButtonLink, Empty } from "../../ui/parts";
import type { Session } from "./session";

type State = Exclude<NonNullable<Session["queue"]>["state"], "ready"> | "observer" | "archived";

/** Why there is no record to read, and the way on. */
export function End({ review, session, state }: { review: Review; session: Session; state: State }) {
  const ends = texts.screen.ends;
  const at = (view: string) => `/r/${review.id}/${view}`;
  const more = state === "finished" ? ends.finishedMore(session.decided) : ends[`${state}More`];
  const withheld = session.queue?.withheld ?? 0;
  return (
    <Empty title={ends[state]}>
      <p>{more}</p>
      {withheld > 0 && <p class="soft">{texts.screen.withheld(withheld)}</p>}
      <div class="actions">
        {state === "waiting" && (
          <Button kind="main" onClick={() => void session.fill()}>
            {texts.screen.lookAgain}
          </Button>
        )}
        {state === "empty" && review.role === "owner" && (
          <ButtonLink kind="main" href={at("import")}>
            {texts.nav.import}
          </ButtonLink>
        )}
        {session.canUndo && <Button onClick={() => session.undo()}>{texts.screen.undo}</Button>}
        {state !== "empty" && <ButtonLink href={at("progress")}>{texts.nav.progress}</ButtonLink>}
      </div>
    </Empty>
  );
}
