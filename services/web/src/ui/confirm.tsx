import type { ComponentChildren } from "preact";
import { texts } from "../texts/en";
import { Button, Dialog, Problem } from "./parts";

interface Props {
  title: string;
  lead?: string;
  effects: readonly string[];
  does: string;
  isDanger?: boolean;
  work: { mutate: () => void; isPending: boolean; error: unknown };
  close: () => void;
  children?: ComponentChildren;
}

/** Asks before something happens, and names what that is. */
export function Confirm({ title, lead, effects, does, isDanger, work, close, children }: Props) {
  return (
    <Dialog title={title} close={close}>
      {lead && (
        <p>
          <strong>{lead}</strong>
        </p>
      )}
      <ul class="effects">
        {effects.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      {children}
      {work.error ? <Problem error={work.error} /> : null}
      <div class="actions">
        <Button kind={isDanger ? "danger" : "main"} disabled={work.isPending} onClick={() => work.mutate()}>
          {does}
        </Button>
        <Button onClick={close}>{texts.cancel}</Button>
      </div>
    </Dialog>
  );
}
