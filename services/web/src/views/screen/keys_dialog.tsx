import { useState } from "preact/hooks";
import { type Action, keyFor, type Preset, PRESETS } from "../../keys/keys";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { opensOffline } from "../../ui/offline";
import { Button, Dialog, Field } from "../../ui/parts";
import type { Session } from "./session";

interface Props {
  close: () => void;
  reasons: string[];
  session: Session;
}

/** All keys, in which style, and what can be taken along. */
export function KeysDialog({ close, reasons, session }: Props) {
  const { preferences, prefer } = usePerson();
  const say = texts.screen;
  return (
    <Dialog title={say.keysTitle} close={close}>
      <Field label={say.keysPreset}>
        {(ids) => (
          <select
            {...ids}
            value={preferences.keys}
            onChange={(event) => prefer({ keys: event.currentTarget.value as Preset })}
          >
            {(Object.keys(PRESETS) as Preset[]).map((preset) => (
              <option key={preset} value={preset}>
                {say.presets[preset]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <dl class="keys">
        {(Object.keys(say.keyActions) as Action[]).map((action) => {
          const key = keyFor(action, preferences.keys);
          return key === null ? null : (
            <div key={action}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{say.keyActions[action]}</dd>
            </div>
          );
        })}
        {reasons.length > 0 && preferences.keys !== "off" && (
          <div>
            <dt>
              <kbd>1</kbd>–<kbd>{Math.min(9, reasons.length)}</kbd>
            </dt>
            <dd>{say.keysReason}</dd>
          </div>
        )}
      </dl>
      <TakeAlong session={session} />
    </Dialog>
  );
}

const ALONG = 100;

function TakeAlong({ session }: { session: Session }) {
  const [isBusy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    await session.fill(ALONG);
    setBusy(false);
  };
  return (
    <section class="stack">
      <p class="hint">{texts.screen.takeAlongMore}</p>
      {!opensOffline && <p class="notice warn">{texts.screen.takeAlongStay}</p>}
      <div class="actions">
        <Button disabled={isBusy} onClick={() => void take()}>
          {texts.screen.takeAlong}
        </Button>
        <span class="small" role="status">
          {texts.screen.takenAlong(session.items.length)}
        </span>
      </div>
    </section>
  );
}
