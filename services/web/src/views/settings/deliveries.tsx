import { useMutation } from "@tanstack/preact-query";
import { api, data } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated } from "../../api/queries";
import { ago } from "../../texts/format";
import { Listed } from "../../ui/list";
import { Button, Problem } from "../../ui/parts";
import { webhookTexts as say } from "./webhook_texts";

const ROUTE = "/api/v1/reviews/{review_id}/webhooks/{webhook_id}/deliveries";

/** What was sent to a webhook and what came back, the newest first. */
export function Deliveries({ review, webhook }: { review: string; webhook: string }) {
  const path = { review_id: review, webhook_id: webhook };
  const { query, items } = usePages(["review", review, "deliveries", webhook], (cursor) =>
    data(api.GET(ROUTE, { params: { path, query: { limit: 20, ...cursor } } })),
  );
  const again = useMutation({
    mutationFn: (delivery_id: string) =>
      data(api.POST(`${ROUTE}/{delivery_id}/redeliver`, { params: { path: { ...path, delivery_id } } })),
    onSuccess: () => outdated(review, "deliveries"),
  });
  return (
    <Listed query={query} n={items.length} empty={say.deliveriesNone}>
      <ul class="plainlist rows">
        {items.map((one) => {
          const last = one.attempts.at(-1);
          const came = last?.status ? say.answered(last.status) : last?.error;
          return (
            <li class="row" key={one.id}>
              <span>
                {one.event_type} · {say.deliveryStates[one.state]}
                <br />
                <span class="soft small">
                  {[ago(one.created_at), say.kinds[one.kind], came].filter(Boolean).join(" · ")}
                </span>
              </span>
              <Button disabled={again.isPending} onClick={() => again.mutate(one.id)}>
                {say.again}
              </Button>
            </li>
          );
        })}
      </ul>
      {again.error && <Problem error={again.error} />}
    </Listed>
  );
}
