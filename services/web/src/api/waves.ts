/** The searches of a review: the first one, and those that were begun later. */
import { useQuery } from "@tanstack/preact-query";
import { api, data, inReview, type Schemas } from "./client";

export type Wave = Schemas["WaveOut"];

/** The searches after the first, in order; none while they are not known. */
export function useWaves(review: string): Wave[] {
  const found = useQuery({
    queryKey: ["review", review, "waves"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/waves", inReview(review))),
  });
  return found.data?.items ?? [];
}

/** All searches by number, the first with the name that is given: it has none of its own. Of one alone there is no choice. */
export function searches(waves: readonly Pick<Wave, "wave" | "label">[], first: string): [number, string][] {
  if (waves.length === 0) return [];
  return [[1, first], ...waves.map(({ wave, label }): [number, string] => [wave, label])];
}
