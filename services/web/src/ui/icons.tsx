/** Icons of Lucide (ISC licence), only those that are used. */
const PATHS = {
  include: "M20 6 9 17l-5-5",
  exclude: "M18 6 6 18M6 6l12 12",
  maybe: "M9.1 9a3 3 0 0 1 5.8 1c0 2-3 3-3 3M12 17h.01",
  close: "M18 6 6 18M6 6l12 12",
  undo: "M9 14 4 9l5-5M4 9h10.5a5.5 5.5 0 0 1 0 11H11",
  menu: "M4 6h16M4 12h16M4 18h16",
  note: "M12 20h9M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4Z",
  label: "M12 2H2v10l9.3 9.3a1 1 0 0 0 1.4 0l8.6-8.6a1 1 0 0 0 0-1.4ZM7 7h.01",
  later: "M12 6v6l4 2M12 22a10 10 0 1 1 0-20 10 10 0 0 1 0 20Z",
  help: "M9.1 9a3 3 0 0 1 5.8 1c0 2-3 3-3 3M12 17h.01M12 22a10 10 0 1 1 0-20 10 10 0 0 1 0 20Z",
  criteria: "M8 6h13M8 12h13M8 18h13M3 6h.01M3 12h.01M3 18h.01",
  up: "m18 15-6-6-6 6",
  down: "m6 9 6 6 6-6",
  conflict: "M8 3 4 7l4 4M4 7h16M16 21l4-4-4-4M20 17H4",
  saved: "M20 6 9 17l-5-5",
  waiting: "M12 3v18M3 12h18",
  out: "M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5-5-5M21 12H9",
  link: "M15 3h6v6M10 14 21 3M18 13v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A verdict is an icon, a word and a colour, never a colour alone. */
export function VerdictMark({ verdict, word }: { verdict: "include" | "exclude" | "maybe"; word: string }) {
  return (
    <span class={`verdict ${verdict}`}>
      <Icon name={verdict} />
      {word}
    </span>
  );
}
