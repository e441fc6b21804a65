import type { ComponentChildren } from "preact";
import type { Wave } from "../../api/waves";
import { onDay } from "../../texts/format";
import { importTexts as say } from "./texts";

/** To which search imports belong now, once one was begun after the first. */
export function Present({ waves, children }: { waves: Wave[]; children?: ComponentChildren }) {
  const newest = waves.at(-1);
  if (newest === undefined) return null;
  return (
    <div class="notice" role="status">
      <p>{say.belongs(newest.label, onDay(newest.opened_at))}</p>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}
