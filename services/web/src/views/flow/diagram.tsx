import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { prefix } from "../../api/address";
import { asProblem } from "../../api/client";
import { Refused } from "../../api/problem";
import { Loading, Problem } from "../../ui/parts";
import { query } from "./asked";
import { linked } from "./linked";
import { flowTexts as say } from "./texts";

interface Props {
  review: string;
  wave: number | null;
  /** The diagram is read again when there is something newer. */
  as_of: number;
}

/** The API's diagram, each box of which opens the list behind it in this page. */
export function Diagram({ review, wave, as_of }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [, go] = useLocation();
  const found = useQuery({
    queryKey: ["review", review, "flow", "diagram", wave, as_of],
    queryFn: () => read(review, wave),
  });
  useEffect(() => {
    if (found.data === undefined) return;
    const to = (key: string, part: string | null) => {
      const asked = query(wave, part ?? undefined);
      return `/r/${review}/flow/${encodeURIComponent(key)}${asked && `?${asked}`}`;
    };
    const drawn = linked(found.data, (key, part) => ({ href: `${prefix}${to(key, part)}`, go: () => go(to(key, part)) }));
    if (drawn !== null) box.current?.replaceChildren(drawn);
  }, [found.data, review, wave]);
  if (found.isPending) return <Loading />;
  if (found.error) return <Problem error={found.error} again={() => void found.refetch()} />;
  return <div class="flow-diagram scrolls" ref={box} tabIndex={0} role="region" aria-label={say.alt} />;
}

async function read(review: string, wave: number | null): Promise<string> {
  const asked = query(wave);
  const answer = await fetch(`${prefix}/api/v1/reviews/${review}/prisma.svg${asked && `?${asked}`}`);
  if (!answer.ok) throw new Refused(asProblem(await answer.json().catch(() => null), answer.status));
  return answer.text();
}
