import { useMutation } from "@tanstack/preact-query";
import { api, data } from "../../api/client";
import { once } from "../../api/once";
import { usePages } from "../../api/pages";
import { outdated } from "../../api/queries";
import { ago } from "../../texts/format";
import { Button, Field, Loading, More, Problem } from "../../ui/parts";
import { conflictTexts as say } from "./texts";

const ROUTE = "/api/v1/reviews/{review_id}/conflicts/{conflict_id}/messages";

/** What was said about a conflict. */
export function Talk({ review, conflict }: { review: string; conflict: string }) {
  const path = { review_id: review, conflict_id: conflict };
  const { query, items } = usePages(["review", review, "conflict", conflict, "messages"], (cursor) =>
    data(api.GET(ROUTE, { params: { path, query: { limit: 100, ...cursor } } })),
  );
  const send = useMutation({
    mutationFn: (text: string) =>
      once([ROUTE, path, text], (headers) => data(api.POST(ROUTE, { params: { path }, body: { text }, headers }))),
    onSuccess: () => outdated(review, "conflict", conflict, "messages"),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const text = String(new FormData(form).get("text")).trim();
    if (text !== "") send.mutate(text, { onSuccess: () => form.reset() });
  };
  return (
    <section class="stack">
      <h2>{say.talk}</h2>
      {query.isPending && <Loading />}
      {query.error && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && <p class="soft small">{say.noTalk}</p>}
      <ol class="plainlist talk">
        {items.map((one) => (
          <li key={one.id} class={one.mine ? "mine" : ""}>
            <p class="small soft">
              {one.author} · {ago(one.sent_at)}
            </p>
            <p>{one.text}</p>
          </li>
        ))}
      </ol>
      <More query={query} />
      <form class="inline-form" onSubmit={submit}>
        <Field label={say.sayLabel}>
          {(ids) => <input {...ids} name="text" maxLength={10_000} autocomplete="off" />}
        </Field>
        <Button type="submit" disabled={send.isPending}>
          {say.say}
        </Button>
      </form>
      {send.error && <Problem error={send.error} />}
    </section>
  );
}
