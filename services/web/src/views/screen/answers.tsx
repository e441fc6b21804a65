import { type Action, keyFor } from "../../keys/keys";
import type { Verdict } from "../../outbox/entries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Icon, type IconName } from "../../ui/icons";
import { Button } from "../../ui/parts";
import type { Draft } from "./draft";

interface Props {
  hasReasons: boolean;
  canUndo: boolean;
  draft: Draft;
  decide: (verdict: Verdict) => void;
  act: (does: Action) => void;
  reasons: () => void;
  /** Opens the ways to include, where there are several. */
  including?: () => void;
}

/** The three answers, always at one place, with their keys on them. */
export function Answers({ hasReasons, canUndo, draft, decide, act, reasons, including }: Props) {
  const answer = (verdict: Verdict) => (
    <button type="button" class={`answer ${verdict}`} onClick={() => decide(verdict)}>
      <Icon name={verdict} />
      <span>{texts.verdicts[verdict]}</span>
      <Key does={verdict} />
    </button>
  );
  const written = draft.note.trim() !== "" ? " •" : "";
  const labelled = draft.labels.length > 0 ? ` ${draft.labels.length}` : "";
  return (
    <div class="answers">
      <div class="answers-side only-wide">
        <Small does="undo" icon="undo" name={texts.screen.undo} act={act} disabled={!canUndo} />
      </div>
      <div class="answers-main" role="group" aria-label={texts.screen.title}>
        <div class="answer-split">
          {answer("exclude")}
          {hasReasons && (
            <button type="button" class="answer exclude reasons" aria-haspopup="dialog" onClick={reasons}>
              <span class="hidden">{texts.screen.reasonTitle}</span>
              <Icon name="up" />
            </button>
          )}
        </div>
        {answer("maybe")}
        {including === undefined ? (
          answer("include")
        ) : (
          <div class="answer-split">
            {answer("include")}
            <button type="button" class="answer include reasons" aria-haspopup="dialog" onClick={including}>
              <span class="hidden">{texts.screen.including.title}</span>
              <Icon name="up" />
            </button>
          </div>
        )}
      </div>
      <div class="answers-side">
        <span class="only-narrow">
          <Small does="criteria" icon="criteria" name={texts.screen.criteria} act={act} />
        </span>
        <Small does="note" icon="note" name={texts.screen.note + written} act={act} pressed={draft.open === "note"} />
        <Small does="label" icon="label" name={texts.screen.label + labelled} act={act} pressed={draft.open === "label"} />
        <Small does="later" icon="later" name={texts.screen.later} act={act} />
      </div>
    </div>
  );
}

interface SmallProps {
  does: Action;
  icon: IconName;
  name: string;
  act: (does: Action) => void;
  disabled?: boolean;
  pressed?: boolean;
}

function Small({ does, icon, name, act, disabled, pressed }: SmallProps) {
  return (
    <Button
      kind="quiet"
      icon={icon}
      disabled={disabled ?? false}
      aria-expanded={pressed}
      onClick={() => act(does)}
    >
      {name}
      <Key does={does} />
    </Button>
  );
}

function Key({ does }: { does: Action }) {
  const { preferences } = usePerson();
  const key = keyFor(does, preferences.keys);
  return key === null ? null : (
    <kbd class="only-wide" aria-hidden="true">
      {key}
    </kbd>
  );
}
