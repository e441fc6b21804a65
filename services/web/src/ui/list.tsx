import type { ComponentChildren } from "preact";
import { Empty, Loading, More, Problem } from "./parts";

interface Query {
  isPending: boolean;
  isSuccess: boolean;
  error: unknown;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Props {
  query: Query;
  n: number;
  empty: string;
  emptyMore?: ComponentChildren;
  children: ComponentChildren;
}

/** A list in all its states: on its way, refused, empty, with more to come. */
export function Listed({ query, n, empty, emptyMore, children }: Props) {
  if (query.isPending) return <Loading />;
  if (query.error && n === 0) return <Problem error={query.error} again={() => void query.refetch()} />;
  if (n === 0) return <Empty title={empty}>{emptyMore}</Empty>;
  return (
    <>
      {children}
      {query.error ? <Problem error={query.error} again={() => void query.refetch()} /> : null}
      <More query={query} />
    </>
  );
}
