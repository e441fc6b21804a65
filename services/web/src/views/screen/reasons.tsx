import { useEffect } from "preact/hooks";
import type { Schemas } from "../../api/client";
import { isWriting } from "../../keys/keys";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Button, Dialog, Field } from "../../ui/parts";

interface Props {
  reasons: string[];
  close: () => void;
  choose: (reason?: string) => void;
  /** Then it is not possible to exclude without a reason, and others can be written. */
  isRequired: boolean;
}

/** Excludes for one of the review's reasons; numbers choose, too. */
export function ReasonsDialog({ reasons, close, choose, isRequired }: Props) {
  const { preferences } = usePerson();
  const hasKeys = preferences.keys !== "off";
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isWriting(event.target)) return;
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
        {!isRequired && (
          <li>
            <button type="button" onClick={() => choose()}>
              <span class="soft">{texts.screen.noReason}</span>
            </button>
          </li>
        )}
      </ol>
      {isRequired && <OtherReason choose={choose} />}
    </Dialog>
  );
}

function OtherReason({ choose }: Pick<Props, "choose">) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.target as HTMLFormElement).get("reason")).trim();
    if (reason !== "") choose(reason);
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <Field label={texts.screen.otherReason} hint={texts.screen.otherReasonMore}>
        {(ids) => <input {...ids} name="reason" required maxLength={500} autocomplete="off" />}
      </Field>
      <Button type="submit">{texts.verdicts.exclude}</Button>
    </form>
  );
}

interface IncludingProps {
  close: () => void;
  choose: (as: Schemas["Classification"] | null) => void;
}

/** Includes a report as what it is: of a study that can be used, or that cannot be used yet. */
export function IncludingDialog({ close, choose }: IncludingProps) {
  const say = texts.screen.including;
  return (
    <Dialog title={say.title} close={close} sheet>
      <ul class="plainlist stack">
        {([null, "ongoing", "awaiting_classification"] as const).map((as) => (
          <li key={as}>
            <button type="button" class="choice-card" onClick={() => choose(as)}>
              <strong>{say.names[as ?? "included"]}</strong>
              <span class="soft small">{say.means[as ?? "included"]}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
