import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { api, data } from "../../api/client";
import { once } from "../../api/once";
import { queries } from "../../api/queries";
import { texts } from "../../texts/en";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Button, ButtonLink, Field, Problem } from "../../ui/parts";

/** Makes a review; the records come next. */
export function NewReview() {
  useTitle(texts.reviews.newTitle);
  const [, go] = useLocation();
  const [error, fail] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const lines = (name: string) => text(name).split("\n").map((line) => line.trim()).filter(Boolean);
    const criteria = { include: lines("include"), exclude: lines("exclude") };
    setBusy(true);
    try {
      const body = { title: text("title"), question: text("question") || null, criteria };
      const made = await once(["review", body], (headers) => data(api.POST("/api/v1/reviews", { body, headers })));
      void queries.invalidateQueries({ queryKey: ["reviews"] });
      go(`/r/${made.id}/import`);
    } catch (reason) {
      fail(reason);
      setBusy(false);
    }
  };
  return (
    <Shell>
      <h1>{texts.reviews.newTitle}</h1>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Field label={texts.reviews.fieldTitle}>
          {(ids) => <input {...ids} name="title" required maxLength={500} />}
        </Field>
        <Field label={texts.reviews.fieldQuestion} hint={texts.reviews.questionHint}>
          {(ids) => <textarea {...ids} name="question" rows={2} />}
        </Field>
        <Field label={texts.reviews.fieldInclude}>
          {(ids) => <textarea {...ids} name="include" rows={4} />}
        </Field>
        <Field label={texts.reviews.fieldExclude}>
          {(ids) => <textarea {...ids} name="exclude" rows={4} />}
        </Field>
        {error !== null && <Problem error={error} />}
        <div class="actions">
          <Button kind="main" type="submit" disabled={isBusy}>
            {texts.reviews.create}
          </Button>
          <ButtonLink href="/">{texts.cancel}</ButtonLink>
        </div>
      </form>
    </Shell>
  );
}
