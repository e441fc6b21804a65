import type { ComponentChildren, Ref } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { outdated, usePilot } from "../../api/queries";
import { isWriting, meaning } from "../../keys/keys";
import type { Judgement, Stage, Verdict } from "../../outbox/entries";
import type { QueueItem } from "../../outbox/store";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useListening, useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Button, Dialog, Loading, Meter, Problem } from "../../ui/parts";
import type { ViewProps } from "../review";
import { Answers } from "./answers";
import { emptyDraft, useDraft } from "./draft";
import { Drawer } from "./drawer";
import { End } from "./end";
import { KeysDialog } from "./keys_dialog";
import { NotSentNotice, SaveState } from "./save_state";
import { IncludingDialog, ReasonsDialog } from "./reasons";
import { Article } from "./article";
import { StoppingNote } from "../stopping/note";
import { Session } from "./session";
import { CriteriaNote } from "../mine/criteria_note";
import { Criteria } from "./criteria";
import "./screen.css";

type Open = "reasons" | "including" | "criteria" | "keys" | null;

const RENEW_MS = 10 * 60_000;
const PAUSE_MS = 50 * 60_000;

interface Props {
  review: ViewProps["review"];
  stage: Stage;
  title: string;
  /** What is read of a record before it is decided. */
  read: (item: QueueItem, title: Ref<HTMLHeadingElement>) => ComponentChildren;
  /** What stands above the record, whatever there is to decide. */
  above: ComponentChildren;
  /** What stands beside it, between the criteria and the words to mark. */
  beside?: (item: QueueItem) => ComponentChildren;
  ends?: Partial<typeof texts.screen.ends>;
}

/** The main job: one title and abstract after the other. */
export function Screen({ review }: ViewProps) {
  return (
    <Screening
      review={review}
      stage="title_abstract"
      title={texts.screen.title}
      above={<StoppingNote review={review.id} />}
      read={(item, title) => <Article item={item} review={review} titleRef={title} />}
    />
  );
}

/** One record of a stage after the other: read, decide, undo. */
export function Screening({ review, stage, title: name, read, above, beside, ends = {} }: Props) {
  useTitle(`${name} · ${review.title}`);
  const isFullText = stage === "full_text";
  const { outbox, db, preferences, prefer } = usePerson();
  const session = useMemo(() => new Session(review.id, outbox, db, undefined, undefined, stage), [review.id, outbox, stage]);
  useListening(useCallback((draw: () => void) => session.listen(draw), [session]));
  const [open, setOpen] = useState<Open>(null);
  const item = session.current;
  const [draft, setDraft] = useDraft(item === undefined ? null : `${review.id}.${stage}.${item.record.id}`);
  const title = useRef<HTMLHeadingElement>(null);
  const screens = review.role !== "observer" && review.archived_at === null;

  useEffect(() => {
    if (!screens) return;
    void session.start();
    const stop = outbox.onArrival(({ entry, decision }) => session.took(entry.key, decision));
    const renewing = setInterval(() => document.visibilityState === "visible" && void session.fill(), RENEW_MS);
    const online = () => void session.fill();
    addEventListener("online", online);
    return () => {
      stop();
      clearInterval(renewing);
      removeEventListener("online", online);
      void outbox.flush().then(() => outdated(review.id));
    };
  }, [session, outbox, screens]);

  const record = item?.record.id;
  useEffect(() => {
    scrollTo(0, 0);
    if (session.said !== null) title.current?.focus({ preventScroll: true });
  }, [record]);

  const decide = useCallback(
    (verdict: Verdict, reason?: string, classification: Judgement["classification"] = null) => {
      const { note, labels } = draft;
      const reasons = verdict === "exclude" && reason !== undefined ? [reason] : [];
      // Who excludes a full text says why.
      if (isFullText && verdict === "exclude" && reasons.length === 0) return setOpen("reasons");
      const { criteria_version } = review;
      const made = session.decide({
        verdict,
        reasons,
        labels,
        note: note.trim() || null,
        classification,
        criteria_version,
      });
      if (made) setDraft(emptyDraft());
      setOpen(null);
    },
    [session, draft, setDraft, isFullText, review],
  );

  const act = useCallback(
    (does: NonNullable<ReturnType<typeof meaning>>) => {
      if (typeof does === "number") {
        const reason = review.exclusion_reasons[does - 1];
        if (reason !== undefined) decide("exclude", reason);
      } else if (does === "include" || does === "exclude" || does === "maybe") decide(does);
      else if (does === "undo") session.undo();
      else if (does === "later") session.later();
      else if (does === "note" || does === "label") setDraft({ ...draft, open: does });
      else if (does === "criteria") setOpen("criteria");
      else if (does === "help") setOpen("keys");
      else if (does === "highlights") prefer({ highlights: NEXT[preferences.highlights] });
    },
    [decide, session, draft, setDraft, review, preferences, prefer],
  );
  useKeys(act, open === null && screens);

  const bar = (
    <>
      <SaveState />
      <span class="only-narrow">
        <Button
          kind="quiet"
          icon="undo"
          aria-label={texts.screen.undo}
          disabled={!session.canUndo}
          onClick={() => session.undo()}
        />
      </span>
      <Button kind="quiet" icon="help" aria-label={texts.screen.keys} onClick={() => setOpen("keys")} />
    </>
  );
  return (
    <Shell review={review} bar={bar} wide>
      <h1 class="hidden">{name}</h1>
      <Announcer session={session} />
      <NotSentNotice review={review.id} />
      {screens && <Pause />}
      {!screens && (
        <End review={review} session={session} state={review.archived_at ? "archived" : "observer"} ends={ends} />
      )}
      {screens && session.queue !== null && <Done session={session} review={review.id} />}
      {screens && above}
      {screens && review.role === "adjudicator" && <SettlerNote review={review} stage={stage} decided={session.decided} />}
      {screens && <CriteriaNote review={review} stage={stage} />}
      {session.fromStore && <p class="notice warn">{texts.screen.offlineStart}</p>}
      {screens && item === undefined && <Nothing session={session} review={review} ends={ends} />}
      {screens && item !== undefined && (
        <div class={`screen ${stage}`}>
          <div class="screen-record">{read(item, title)}</div>
          <aside class="screen-side" aria-label={texts.screen.criteria}>
            <Criteria review={review} exclude={(reason) => decide("exclude", reason)} between={beside?.(item)} />
          </aside>
          <div class="screen-foot">
            <Drawer draft={draft} change={setDraft} review={review.id} />
            <Answers
              hasReasons={!isFullText && review.exclusion_reasons.length > 0}
              canUndo={session.canUndo}
              draft={draft}
              decide={decide}
              act={act}
              reasons={() => setOpen("reasons")}
              {...(isFullText ? { including: () => setOpen("including") } : {})}
            />
          </div>
        </div>
      )}
      {open === "keys" && <KeysDialog close={() => setOpen(null)} reasons={review.exclusion_reasons} session={session} />}
      {open === "criteria" && (
        <Dialog title={texts.screen.criteria} close={() => setOpen(null)} sheet>
          <Criteria review={review} exclude={(reason) => decide("exclude", reason)} />
        </Dialog>
      )}
      {open === "reasons" && (
        <ReasonsDialog
          reasons={review.exclusion_reasons}
          isRequired={isFullText}
          close={() => setOpen(null)}
          choose={(reason) => decide("exclude", reason)}
        />
      )}
      {open === "including" && (
        <IncludingDialog close={() => setOpen(null)} choose={(as) => decide("include", undefined, as)} />
      )}
    </Shell>
  );
}

/** Before an adjudicator screens: what they decide they may not settle. */
function SettlerNote({ review, stage, decided }: { review: Props["review"]; stage: Stage; decided: number }) {
  if (decided > 0 || review.policy[stage].voter_may_adjudicate) return null;
  return <p class="notice">{texts.screen.settlerNote}</p>;
}

const NEXT = { off: "own", own: "all", all: "off" } as const;

function useKeys(act: (does: NonNullable<ReturnType<typeof meaning>>) => void, isOn: boolean): void {
  const { preferences } = usePerson();
  useEffect(() => {
    if (!isOn) return;
    const press = (event: KeyboardEvent) => {
      if (isWriting(event.target)) return;
      const does = meaning(event, preferences.keys);
      if (does === null) return;
      event.preventDefault();
      act(does);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [act, isOn, preferences.keys]);
}

function Done({ session, review }: { session: Session; review: string }) {
  const pilot = usePilot(review, session.stage === "title_abstract").data;
  const left = session.remaining ?? 0;
  const inPilot = pilot?.state === "running";
  const all = inPilot ? Math.max(pilot.n_records, left) : session.decided + left;
  const done = all - left;
  if (all === 0) return null;
  return (
    <div class="screen-done">
      <Meter value={done} of={all} label={inPilot ? texts.screen.pilot : texts.screen.progress} />
      <span class="small soft">
        {inPilot ? `${texts.screen.pilot}: ` : ""}
        {texts.screen.of(done, all)}
      </span>
    </div>
  );
}

/** Suggests a pause, once. */
function Pause() {
  const { preferences } = usePerson();
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), PAUSE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isDue || !preferences.pauses) return null;
  return (
    <div class="notice" role="status">
      <p>{texts.screen.pause}</p>
      <Button onClick={() => setDue(false)}>{texts.screen.pauseOk}</Button>
    </div>
  );
}

function Announcer({ session }: { session: Session }) {
  const { said, current, remaining } = session;
  const what = said === null ? "" : said.what === "decided" ? texts.screen.said[said.verdict ?? "maybe"] : said.what === "later" ? texts.screen.said.later : texts.screen.said.undone;
  return (
    <p class="hidden" role="status">
      {said !== null && texts.screen.next(what, remaining, current?.record.title ?? "")}
    </p>
  );
}

function Nothing({ session, review, ends }: { session: Session } & Pick<Props, "review" | "ends">) {
  const pilot = usePilot(review.id, session.stage === "title_abstract").data?.state;
  const state = session.queue?.state;
  useEffect(() => {
    if (state === "pilot_done" && pilot === "ended") void session.fill();
  }, [session, state, pilot]);
  if (session.error !== null && !session.fromStore) {
    return <Problem error={session.error} again={() => void session.fill()} />;
  }
  if (state === undefined || state === "ready") return <Loading />;
  // What is still on its way was the last of the round: the server says so only when it has it.
  const end = state === "finished" && pilot === "running" ? "pilot_done" : state;
  return <End review={review} session={session} state={end} ends={ends ?? {}} />;
}

