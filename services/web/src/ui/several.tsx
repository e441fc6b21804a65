/** Several entries of a list are ticked, and then something is done to all of them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { forEach, type Told } from "../api/each";
import { sentence } from "../api/problem";
import { texts } from "../texts/en";
import type { ComponentChildren } from "preact";
import { Button, Meter } from "./parts";

const say = texts.several;
const MOST_REASONS = 5;

export interface Ticked {
  isOn: boolean;
  ids: ReadonlySet<string>;
  turn: (isOn: boolean) => void;
  toggle: (id: string) => void;
  set: (ids: Iterable<string>) => void;
}

/** What is ticked; nothing of it any more once another list is shown. */
export function useTicked(list: string): Ticked {
  const [isOn, turn] = useState(false);
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setIds(new Set()), [list, isOn]);
  return {
    isOn,
    ids,
    turn,
    toggle: (id) =>
      setIds((now) => {
        const next = new Set(now);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    set: (some) => setIds(new Set(some)),
  };
}

/** A box to tick before an entry, where several are being chosen. */
export function Tick({ ticked, id, name }: { ticked: Ticked; id: string; name: string }) {
  if (!ticked.isOn) return null;
  return (
    <label class="tick">
      <input type="checkbox" checked={ticked.ids.has(id)} onChange={() => ticked.toggle(id)} aria-label={say.choose(name)} />
    </label>
  );
}

interface BarProps {
  ticked: Ticked;
  /** How many the list has in all; null where that is not known. */
  n: number | null;
  /** Reads all of them, also those that are not shown yet. */
  all: () => Promise<string[]>;
  isBusy: boolean;
  children: ComponentChildren;
}

/** How many are ticked, and what can be done to them. */
export function TickedBar({ ticked, n, all, isBusy, children }: BarProps) {
  const [isReading, setReading] = useState(false);
  const [error, fail] = useState<unknown>(null);
  const bar = useRef<HTMLDivElement>(null);
  // What was pressed to come here is gone: without this, the focus would be nowhere.
  useEffect(() => bar.current?.focus(), []);
  const tickAll = async () => {
    setReading(true);
    fail(null);
    try {
      ticked.set(await all());
    } catch (reason) {
      fail(reason);
    } finally {
      setReading(false);
    }
  };
  return (
    <div class="ticked" role="group" aria-label={say.title} ref={bar} tabIndex={-1}>
      <strong role="status">{say.n(ticked.ids.size)}</strong>
      {(n === null || ticked.ids.size < n) && (
        <Button disabled={isBusy || isReading} onClick={() => void tickAll()}>
          {say.all(n)}
        </Button>
      )}
      {children}
      <Button kind="quiet" disabled={isBusy} onClick={() => ticked.turn(false)}>
        {say.end}
      </Button>
      {error !== null && <span class="wrong">{sentence(error)}</span>}
    </div>
  );
}

export interface Each {
  run: (ids: readonly string[], write: (id: string) => Promise<unknown>) => Promise<Told>;
  /** How many of how many were written; null where nothing is under way. */
  at: { n: number; of: number } | null;
}

/** A write for each of several, and how far it is. */
export function useEach(): Each {
  const [at, setAt] = useState<Each["at"]>(null);
  return {
    at,
    run: async (ids, write) => {
      setAt({ n: 0, of: ids.length });
      try {
        return await forEach(ids, write, (n) => setAt({ n, of: ids.length }));
      } finally {
        setAt(null);
      }
    },
  };
}

export function EachMeter({ each: { at } }: { each: Each }) {
  if (at === null) return null;
  const says = say.at(at.n, at.of);
  return (
    <div class="stack small">
      <span>{says}</span>
      <Meter value={at.n} of={at.of} label={says} />
    </div>
  );
}

interface OutcomeProps {
  told: Told;
  /** What was done, in one sentence. */
  done: string;
  children?: ComponentChildren;
}

/** What became of all of them: how many were done, and why others were not. */
export function Outcome({ told, done, children }: OutcomeProps) {
  const missed = told.refused.length + told.left.length;
  const reasons = [...new Set(told.refused.map(({ error }) => sentence(error)))];
  return (
    <div class={`notice ${missed > 0 ? "warn" : "good"}`} role="status">
      <p>
        <strong>{done}</strong>
      </p>
      {told.stopped !== null && <p>{say.stopped(told.left.length, sentence(told.stopped))}</p>}
      {reasons.length > 0 && (
        <>
          <p>{say.refused(told.refused.length)}</p>
          <ul class="effects small">
            {reasons.slice(0, MOST_REASONS).map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
          {reasons.length > MOST_REASONS && <p class="small">{texts.andMore(reasons.length - MOST_REASONS)}</p>}
        </>
      )}
      {children}
    </div>
  );
}
