/** What the views read, by name. Events of a review say which of it is out of date. */
import { QueryCache, QueryClient, useInfiniteQuery, useQuery } from "@tanstack/preact-query";
import { api, data, inReview, type Schemas } from "./client";
import { codeOf, Refused, sentence } from "./problem";

const signedOut = new Set<(why: string) => void>();

/** Calls `listener` when the server says that nobody is signed in here any more, and why. */
export function onSignedOut(listener: (why: string) => void): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

function noticeSignedOut(error: unknown): void {
  if (codeOf(error) === "unauthenticated") for (const listener of signedOut) listener(sentence(error));
}

export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignedOut }),
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // What was refused is refused again; what did not arrive was tried again already.
      retry: (failures, error) => !(error instanceof Refused) && failures < 1,
      networkMode: "always",
    },
    mutations: { networkMode: "always", onError: noticeSignedOut },
  },
});

export type Me = Schemas["MeOut"];
export type Review = Schemas["WholeReviewOut"];

export async function fetchMe(): Promise<Me> {
  return data(api.GET("/api/v1/me"));
}

export const useReviews = (archived: boolean) =>
  useInfiniteQuery({
    queryKey: ["reviews", archived],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/reviews", {
          params: { query: { archived, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

const ofReview = (id: string) => ({
  queryKey: ["review", id, "review"],
  queryFn: () => data(api.GET("/api/v1/reviews/{review_id}", inReview(id))),
  staleTime: 60_000,
});

export const useReview = (id: string) => useQuery(ofReview(id));

/** Starts to fetch a review before a view asks for it. What goes wrong, the view that asks says. */
export const prefetchReview = (id: string) => queries.prefetchQuery(ofReview(id));

export const useWaiting = (id: string) =>
  useQuery({
    queryKey: ["review", id, "waiting"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/waiting", inReview(id))),
  });

export const STAGES = ["title_abstract", "full_text"] as const satisfies Schemas["Stage"][];
export type Stage = (typeof STAGES)[number];

/**
 * How many of my decisions, by stage, a change of the criteria may concern.
 *
 * The server compares each decision with what has changed: so it is asked again after a change of
 * the criteria and of my decisions, not with every event.
 */
export function useAffected(review: Pick<Review, "id" | "role" | "criteria_version" | "archived_at">) {
  const ofStage = (stage: Stage) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/criteria/affected", {
        params: { path: { review_id: review.id }, query: { stage, limit: 1 } },
      }),
    );
  return useQuery({
    queryKey: ["review", review.id, "affected", "n", review.criteria_version],
    queryFn: async () => {
      const [titles, texts] = await Promise.all([ofStage("title_abstract"), ofStage("full_text")]);
      return { title_abstract: titles.n, full_text: texts.n };
    },
    enabled: review.criteria_version > 1 && review.role !== "observer" && review.archived_at === null,
    staleTime: 300_000,
  }).data;
}

/** Of both stages; nothing while it is not known. */
export const inAll = (n: Record<Stage, number> | undefined): number => (n ? n.title_abstract + n.full_text : 0);

/** Everything that was read of a review, or one kind of it, is out of date. */
export function outdated(review: string, ...kind: string[]): void {
  void refreshed(review, ...kind);
}

/** What opens later reads this kind again; what is shown now is left as it is. */
export function stale(review: string, kind: string): void {
  void queries.invalidateQueries({ queryKey: ["review", review, kind], refetchType: "none" });
}

/** The same; resolved once what is shown of it has been read again. */
export function refreshed(review: string, ...kind: string[]): Promise<void> {
  return queries.invalidateQueries({ queryKey: ["review", review, ...kind] });
}

/** The round that everybody screens first, if the review has one; `isWatched`: its counts follow while it runs. */
export const usePilot = (id: string, enabled = true, isWatched = false) =>
  useQuery({
    queryKey: ["review", id, "pilot"],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/pilot", inReview(id))),
    enabled,
    refetchInterval: (query) => isWatched && query.state.data?.state === "running" && 10_000,
  });
