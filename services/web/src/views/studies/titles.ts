import { useQuery } from "@tanstack/preact-query";
import { api, data } from "../../api/client";

export interface Titles {
  /** The title of a report, or its number while the titles are on their way. */
  of: (id: string) => string;
}

/** The titles of all reports of a review: some hundreds at most. */
export function useTitles(review: string): Titles {
  const found = useQuery({
    queryKey: ["review", review, "reports", "titles"],
    queryFn: () => read(review),
    staleTime: 60_000,
  });
  return { of: (id) => found.data?.get(id) ?? `#${id}` };
}

async function read(review: string): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const page: { items: { id: string; title: string }[]; next_cursor: string | null } = await data(
      api.GET("/api/v1/reviews/{review_id}/reports", {
        params: { path: { review_id: review }, query: { limit: 500, ...(cursor === null ? {} : { cursor }) } },
      }),
    );
    for (const one of page.items) titles.set(one.id, one.title);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return titles;
}
