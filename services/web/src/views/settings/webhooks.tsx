import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, inReview, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { texts } from "../../texts/en";
import { Confirm } from "../../ui/confirm";
import { CopyButton } from "../../ui/copy_button";
import { Button, Field, Problem } from "../../ui/parts";
import { Deliveries } from "./deliveries";
import { EVENT_TYPES } from "./event_types";
import { webhookTexts as say } from "./webhook_texts";

type Webhook = Schemas["WebhookOut"];

const ONE = "/api/v1/reviews/{review_id}/webhooks/{webhook_id}";

/** Programs that are sent the review's events; for owners. */
export function Webhooks({ review }: { review: Review }) {
  const [secret, setSecret] = useState<string | null>(null);
  const { query, items } = usePages(["review", review.id, "webhooks"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/webhooks", {
        params: { path: { review_id: review.id }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  return (
    <section class="card stack">
      <h2>{say.title}</h2>
      <p class="hint">{say.more}</p>
      {query.error && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && <p class="soft">{say.none}</p>}
      {secret !== null && (
        <div class="notice good" role="status">
          <p>{say.secret}</p>
          <code class="secret">{secret}</code>
          <CopyButton text={secret} />
        </div>
      )}
      <ul class="plainlist rows">
        {items.map((one) => (
          <One key={one.id} review={review} webhook={one} show={setSecret} />
        ))}
      </ul>
      <Add review={review} show={setSecret} />
    </section>
  );
}

function standing(one: Webhook): string {
  if (!one.enabled) return `${say.states.off}${one.disabled_reason ? `: ${say.reasons[one.disabled_reason]}` : ""}`;
  return one.failing_since ? `${say.states.failing}: ${say.failures(one.n_failures)}` : say.states.on;
}

interface OneProps {
  review: Review;
  webhook: Webhook;
  show: (secret: string) => void;
}

function One({ review, webhook: one, show }: OneProps) {
  const [isRemoving, ask] = useState(false);
  const [isOpen, open] = useState(false);
  const params = { path: { review_id: review.id, webhook_id: one.id } };
  const refresh = () => outdated(review.id, "webhooks");
  const change = useMutation({
    mutationFn: (enabled: boolean) => data(api.PATCH(ONE, { params, body: { enabled } })),
    onSuccess: refresh,
  });
  const rotate = useMutation({
    mutationFn: () => data(api.POST(`${ONE}/secret`, { params })),
    onSuccess: (found) => (show(found.secret), refresh()),
  });
  const test = useMutation({
    mutationFn: () => data(api.POST(`${ONE}/test`, { params })),
    onSuccess: () => (open(true), outdated(review.id, "deliveries")),
  });
  const remove = useMutation({
    mutationFn: () => data(api.DELETE(ONE, { params })),
    onSuccess: () => (ask(false), refresh()),
  });
  const error = change.error ?? rotate.error ?? test.error;
  return (
    <li class="stack webhook">
      <p>
        <strong>{one.url}</strong>
        <br />
        <span class="soft small">
          {[one.description, standing(one), one.types.length > 0 ? say.some(one.types.length) : say.all, say.sentTo(one.delivered_to)]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </p>
      <div class="actions">
        <Button disabled={test.isPending} aria-label={say.of(say.test, one.url)} onClick={() => test.mutate()}>
          {say.test}
        </Button>
        <Button disabled={rotate.isPending} aria-label={say.of(say.rotate, one.url)} onClick={() => rotate.mutate()}>
          {say.rotate}
        </Button>
        <Button disabled={change.isPending} onClick={() => change.mutate(!one.enabled)}>
          {one.enabled ? say.off : say.on}
        </Button>
        <Button kind="danger" aria-label={say.of(say.remove, one.url)} onClick={() => ask(true)}>
          {say.remove}
        </Button>
      </div>
      {test.isSuccess && (
        <p class="small" role="status">
          {say.sent}
        </p>
      )}
      {error && <Problem error={error} />}
      <details open={isOpen} onToggle={(event) => open(event.currentTarget.open)}>
        <summary>{say.deliveries}</summary>
        {isOpen && <Deliveries review={review.id} webhook={one.id} />}
      </details>
      {isRemoving && (
        <Confirm
          title={say.removeTitle}
          lead={one.url}
          effects={say.removeEffects}
          does={say.remove}
          isDanger
          work={remove}
          close={() => ask(false)}
        />
      )}
    </li>
  );
}

function Add({ review, show }: { review: Review; show: (secret: string) => void }) {
  const add = useMutation({
    mutationFn: (body: Schemas["WebhookIn"]) =>
      data(api.POST("/api/v1/reviews/{review_id}/webhooks", { ...inReview(review.id), body })),
    onSuccess: (made) => (show(made.secret), outdated(review.id, "webhooks")),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const target = event.target as HTMLFormElement;
    const form = new FormData(target);
    const types = form.getAll("types") as Schemas["EventType"][];
    const description = String(form.get("description")).trim() || null;
    add.mutate({ url: String(form.get("url")).trim(), description, types }, { onSuccess: () => target.reset() });
  };
  return (
    <form class="form" onSubmit={submit}>
      <div class="inline-form">
        <Field label={say.url}>
          {(ids) => <input {...ids} name="url" type="url" required maxLength={2000} autocomplete="off" />}
        </Field>
        <Field label={say.description}>{(ids) => <input {...ids} name="description" maxLength={500} />}</Field>
      </div>
      <details>
        <summary>{say.types}</summary>
        <p class="hint">{say.typesNone}</p>
        <div class="event-types">
          {EVENT_TYPES.map((type) => (
            <label class="check" key={type}>
              <input type="checkbox" name="types" value={type} />
              {type.replace("tandem.", "").replaceAll(/[._]/g, " ")}
            </label>
          ))}
        </div>
      </details>
      {add.error && <Problem error={add.error} />}
      <div class="actions">
        <Button type="submit" disabled={add.isPending}>
          {say.add}
        </Button>
        <span role="status">{add.isSuccess && texts.saved}</span>
      </div>
    </form>
  );
}
