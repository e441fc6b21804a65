import { useInfiniteQuery } from "@tanstack/preact-query";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** A list that is read page by page; `items` are all that were read so far. */
export function usePages<P extends Page<unknown>>(
  queryKey: unknown[],
  read: (cursor: { cursor?: string }) => Promise<P>,
  isOn = true,
) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam === "" ? {} : { cursor: pageParam }),
    initialPageParam: "",
    getNextPageParam: (page: P) => page.next_cursor,
    enabled: isOn,
  });
  const items = (query.data?.pages.flatMap((page) => page.items) ?? []) as P["items"];
  return { query, items, first: query.data?.pages[0] };
}

/** All of a list, page after page. */
export async function allOf<P extends Page<unknown>>(read: (cursor: { cursor?: string }) => Promise<P>): Promise<P["items"]> {
  const items: unknown[] = [];
  for (let cursor = {}; ; ) {
    const page = await read(cursor);
    items.push(...page.items);
    if (page.next_cursor === null) return items as P["items"];
    cursor = { cursor: page.next_cursor };
  }
}
