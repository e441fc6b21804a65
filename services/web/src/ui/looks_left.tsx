import { useQuery } from "@tanstack/preact-query";
import { api, data } from "../api/client";
import { type Review, STAGES } from "../api/queries";
import { number } from "../texts/format";
import { texts } from "../texts/en";

/** For those who lead: whose decisions wait to be looked at again since the criteria have changed. */
export function LooksLeft({ review, ifNone }: { review: Review; ifNone?: string }) {
  const leads = review.role === "owner" || review.role === "adjudicator";
  const left = useQuery({
    queryKey: ["review", review.id, "looks", review.criteria_version],
    queryFn: () =>
      Promise.all(
        STAGES.map(async (stage) => {
          const path = { review_id: review.id };
          const query = { stage, limit: 100 };
          const page = await data(
            api.GET("/api/v1/reviews/{review_id}/criteria/affected/reviewers", { params: { path, query } }),
          );
          return { stage, people: page.items };
        }),
      ),
    enabled: leads && review.criteria_version > 1 && review.archived_at === null,
    staleTime: 60_000,
    // Not with every decision of the team: the server compares all of them with what has changed.
    refetchInterval: 60_000,
  }).data?.filter(({ people }) => people.length > 0);
  if (left === undefined) return null;
  if (left.length === 0) return ifNone === undefined ? null : <p class="soft">{ifNone}</p>;
  return (
    <div class="notice" role="status">
      <p>
        <strong>{texts.looks.title}</strong>
      </p>
      {left.map(({ stage, people }) => (
        <p key={stage}>
          {texts.stages[stage]}: {people.map((one) => `${one.name} ${number(one.n)}`).join(" · ")}
        </p>
      ))}
      <p class="soft small">{texts.looks.more}</p>
    </div>
  );
}
