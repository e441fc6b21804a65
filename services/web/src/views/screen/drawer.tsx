import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef } from "preact/hooks";
import { api, data } from "../../api/client";
import { texts } from "../../texts/en";
import { Button, Field } from "../../ui/parts";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  change: (draft: Draft) => void;
  review: string;
}

/** Where a note and labels are written; Escape leaves it. */
export function Drawer({ draft, change, review }: Props) {
  const first = useRef<HTMLElement>(null);
  useEffect(() => {
    if (draft.open !== null) first.current?.focus();
  }, [draft.open]);
  const close = () => change({ ...draft, open: null });
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  if (draft.open === "note") {
    return (
      <div class="drawer" onKeyDown={leave}>
        <Field label={texts.screen.noteLabel} hint={texts.screen.noteHint}>
          {(ids) => (
            <textarea
              {...ids}
              ref={first as { current: HTMLTextAreaElement | null }}
              rows={2}
              maxLength={10_000}
              value={draft.note}
              onInput={(event) => change({ ...draft, note: event.currentTarget.value })}
            />
          )}
        </Field>
        <Button kind="quiet" icon="close" aria-label={texts.close} onClick={close} />
      </div>
    );
  }
  if (draft.open !== "label") return null;
  return (
    <div class="drawer" onKeyDown={leave}>
      <Labels draft={draft} change={change} review={review} first={first} />
      <Button kind="quiet" icon="close" aria-label={texts.close} onClick={close} />
    </div>
  );
}

function Labels({ draft, change, review, first }: Props & { first: { current: HTMLElement | null } }) {
  const known = useQuery({
    queryKey: ["review", review, "labels"],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/labels", {
          params: { path: { review_id: review }, query: { limit: 200 } },
        }),
      ),
    staleTime: 60_000,
  });
  const add = (event: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
    const label = event.currentTarget.value.trim();
    if (event.key !== "Enter" || label === "") return;
    event.preventDefault();
    if (!draft.labels.includes(label)) change({ ...draft, labels: [...draft.labels, label] });
    event.currentTarget.value = "";
  };
  return (
    <div class="stack">
      <Field label={texts.screen.labels} hint={texts.screen.labelHint}>
        {(ids) => (
          <input
            {...ids}
            ref={first as { current: HTMLInputElement | null }}
            list="known-labels"
            maxLength={200}
            autocomplete="off"
            onKeyDown={add}
          />
        )}
      </Field>
      <datalist id="known-labels">
        {(known.data?.items ?? []).map((one) => (
          <option key={one.label} value={one.label} />
        ))}
      </datalist>
      {draft.labels.length > 0 && (
        <ul class="chips">
          {draft.labels.map((label) => (
            <li class="chip" key={label}>
              {label}
              <button
                type="button"
                aria-label={texts.screen.removeLabel(label)}
                onClick={() => change({ ...draft, labels: draft.labels.filter((one) => one !== label) })}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

