import { useMutation } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { usePerson } from "../../ui/context";
import { Button, More, Problem } from "../../ui/parts";
import { teamTexts as say } from "./texts";

type Interest = Schemas["InterestOut"];

/** Records that are kept from somebody because they may be among the authors. */
export function Interests({ review }: { review: Review }) {
  const { me } = usePerson();
  const { query, items } = usePages(["review", review.id, "interests"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/interests", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  const declare = useMutation({
    mutationFn: ({ record_id, has_interest }: { record_id: string; has_interest: boolean }) =>
      data(
        api.PUT("/api/v1/reviews/{review_id}/records/{record_id}/interest", {
          params: { path: { review_id: review.id, record_id } },
          body: { has_interest },
        }),
      ),
    onSuccess: () => outdated(review.id, "interests"),
  });
  if (query.error) return <Problem error={query.error} again={() => void query.refetch()} />;
  if (items.length === 0) return null;
  return (
    <section class="card stack">
      <h2>{say.interests}</h2>
      <p class="hint">{say.interestsMore}</p>
      <ul class="plainlist rows">
        {items.map((one) => (
          <li class="row" key={`${one.user_id} ${one.record_id}`}>
            <span>
              <Link href={`/r/${review.id}/records/${one.record_id}`}>{one.title}</Link>
              <br />
              <span class="soft small">{details(one)}</span>
            </span>
            {one.user_id === me.id && review.archived_at === null && (
              <Button
                disabled={declare.isPending}
                aria-label={say.ofRecord(one.withheld ? say.notMine : say.mine, one.title)}
                onClick={() => declare.mutate({ record_id: one.record_id, has_interest: !one.withheld })}
              >
                {one.withheld ? say.notMine : say.mine}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {declare.error && <Problem error={declare.error} />}
      <More query={query} />
    </section>
  );
}

function details(one: Interest): string {
  return [
    one.name,
    one.author && say.likeAuthor(one.author),
    one.declared !== null && (one.declared ? say.saysMine : say.saysNotMine),
    one.withheld ? say.withheld : say.served,
  ]
    .filter(Boolean)
    .join(" · ");
}
