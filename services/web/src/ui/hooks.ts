import { useEffect, useReducer, useRef } from "preact/hooks";

/** Draws the component again whenever `listen` says that something changed. */
export function useListening(listen: ((changed: () => void) => () => void) | null): void {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => listen?.(() => draw(null)), [listen]);
}

/** Sets the title of the window. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "Tandem" ? title : `${title} · Tandem`;
  }, [title]);
}

/** Moves the focus to an element whenever `what` changes, but not when the view appears. */
export function useFocusOn<E extends HTMLElement>(what: unknown) {
  const ref = useRef<E>(null);
  const before = useRef(what);
  useEffect(() => {
    if (before.current === what) return;
    before.current = what;
    ref.current?.focus({ preventScroll: true });
  }, [what]);
  return ref;
}
