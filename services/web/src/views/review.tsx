import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { follow } from "../api/events";
import { Unreachable } from "../api/problem";
import { type Review, useReview } from "../api/queries";
import { texts } from "../texts/en";
import { usePerson } from "../ui/context";
import { Shell } from "../ui/layout";
import { lazy } from "../ui/lazy";
import { Empty, Loading, Problem } from "../ui/parts";
import { keptReview, keepReview } from "../ui/last_review";
import { Screen } from "./screen/screen";

export interface ViewProps {
  review: Review;
  /** What stands in the address behind the view's name. */
  rest: string;
}

const VIEWS: Record<string, ComponentType<ViewProps>> = {
  screen: Screen,
  mine: lazy(async () => (await import("./mine/mine")).Mine),
  progress: lazy(async () => (await import("./progress/progress")).Progress),
  stopping: lazy(async () => (await import("./stopping/stopping")).Stopping),
  handover: lazy(async () => (await import("./handover/handover")).Handover),
  flow: lazy(async () => (await import("./flow/flow")).Flow),
  reports: lazy(async () => (await import("./reports/reports")).Reports),
  records: lazy(async () => (await import("./records/records")).Records),
  duplicates: lazy(async () => (await import("./duplicates/duplicates")).Duplicates),
  import: lazy(async () => (await import("./imports/imports")).Imports),
  team: lazy(async () => (await import("./team/team")).Team),
  settings: lazy(async () => (await import("./settings/settings")).Settings),
  export: lazy(async () => (await import("./exports/exports")).Exports),
  conflicts: lazy(async () => (await import("./conflicts/conflicts")).Conflicts),
};

/** One review: fetches it, follows its events, and shows the view that the address names. */
export function InReview({ id }: { id: string }) {
  const found = useReview(id);
  const [path] = useLocation();
  const [, , , name = "", ...rest] = path.split("/");
  const { me } = usePerson();
  useEffect(() => follow(id, me.id), [id, me.id]);
  useEffect(() => {
    if (found.data) keepReview(found.data);
  }, [found.data]);
  const review = found.data ?? (found.error instanceof Unreachable ? keptReview(id) : null);
  if (review === null || review === undefined) {
    return (
      <Shell>
        {found.isPending ? <Loading /> : <Problem error={found.error} again={() => void found.refetch()} />}
      </Shell>
    );
  }
  const View = VIEWS[name];
  if (View !== undefined) return <View key={name} review={review} rest={rest.join("/")} />;
  return (
    <Shell review={review}>
      <Empty title={texts.problem.notFound}>
        <p>{texts.problem.notFoundMore}</p>
      </Empty>
    </Shell>
  );
}

