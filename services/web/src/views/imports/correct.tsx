import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated } from "../../api/queries";
import { onDay } from "../../texts/format";
import { Button, Dialog, Field, Problem } from "../../ui/parts";
import { texts } from "../../texts/en";
import { importTexts as say } from "./texts";

type Import = Schemas["ImportOut"];

/** What is said of an import's search: platform, day, whether the strategy is there. */
export function searchOf(one: Import): string {
  const parts = [
    one.platform,
    one.searched_on && say.searched(onDay(one.searched_on)),
    one.strategy !== null && say.hasStrategy,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** What a report of the search asks for and nobody has said; of the earlier version it asks nothing. */
export function missingOf(one: Import): string[] {
  if (one.found_by === "previous") return [];
  return (["source", "searched_on", "strategy"] as const).filter((name) => one[name] === null).map((name) => say.missing[name]);
}

/** Lets an owner say, or correct, how the source of an import was searched. */
export function CorrectSearch({ one, review }: { one: Import; review: string }) {
  const [isOpen, open] = useState(false);
  return (
    <>
      <Button aria-label={say.correctOf(one.filename)} onClick={() => open(true)}>
        {say.correct}
      </Button>
      {isOpen && <Correct one={one} review={review} close={() => open(false)} />}
    </>
  );
}

function Correct({ one, review, close }: { one: Import; review: string; close: () => void }) {
  const save = useMutation({
    mutationFn: (body: Schemas["ImportPatch"]) =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}/imports/{import_id}", {
          params: { path: { review_id: review, import_id: one.id } },
          body,
        }),
      ),
    onSuccess: () => {
      outdated(review);
      close();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const body: Schemas["ImportPatch"] = {};
    for (const name of ["source", "platform", "searched_on", "strategy"] as const) {
      const value = String(form.get(name) ?? "").trim() || null;
      if (value !== one[name]) body[name] = value;
    }
    if (Object.keys(body).length === 0) return close();
    save.mutate(body);
  };
  return (
    <Dialog title={say.correctTitle(one.filename)} close={close}>
      <p>{say.correctMore}</p>
      <form class="form" onSubmit={submit}>
        <Field label={say.source}>
          {(ids) => <input {...ids} name="source" maxLength={500} defaultValue={one.source ?? ""} autocomplete="off" />}
        </Field>
        <Field label={say.platform}>
          {(ids) => <input {...ids} name="platform" maxLength={500} defaultValue={one.platform ?? ""} autocomplete="off" />}
        </Field>
        <Field label={say.searchedOn}>
          {(ids) => <input {...ids} name="searched_on" type="date" defaultValue={one.searched_on ?? ""} />}
        </Field>
        <Field label={say.strategy}>
          {(ids) => <textarea {...ids} name="strategy" rows={5} maxLength={20_000} defaultValue={one.strategy ?? ""} />}
        </Field>
        {save.error && <Problem error={save.error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={save.isPending}>
            {texts.save}
          </Button>
          <Button onClick={close}>{texts.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
