import { useEffect } from "preact/hooks";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Dialog } from "../../ui/parts";

interface Props {
  reasons: string[];
  close: () => void;
  choose: (reason?: string) => void;
}

/** Excludes for one of the review's reasons; numbers choose, too. */
export function ReasonsDialog({ reasons, close, choose }: Props) {
  const { preferences } = usePerson();
  const hasKeys = preferences.keys !== "off";
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const reason = reasons[Number(event.key) - 1];
      if (hasKeys && !event.repeat && reason !== undefined) choose(reason);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [reasons, choose, hasKeys]);
  return (
    <Dialog title={texts.screen.reasonTitle} close={close} sheet>
      <ol class="criteria-reasons big">
        {reasons.map((reason, at) => (
          <li key={reason}>
            <button type="button" onClick={() => choose(reason)}>
              {at < 9 && hasKeys && <kbd aria-hidden="true">{at + 1}</kbd>}
              <span>{reason}</span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" onClick={() => choose()}>
            <span class="soft">{texts.screen.noReason}</span>
          </button>
        </li>
      </ol>
    </Dialog>
  );
}
