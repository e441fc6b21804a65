import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Loading, Problem } from "./parts";

/** A view whose code is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  let found: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, draw] = useState(0);
    const [error, fail] = useState<unknown>(null);
    const [tries, again] = useState(0);
    useEffect(() => {
      if (found !== null) return;
      let gone = false;
      load().then(
        (view) => {
          found = view;
          if (!gone) draw((n) => n + 1);
        },
        (reason: unknown) => !gone && fail(reason),
      );
      return () => {
        gone = true;
      };
    }, [tries]);
    if (found !== null) {
      const View = found;
      return <View {...props} />;
    }
    if (error === null) return <Loading />;
    return <Problem error={error} again={() => (fail(null), again(tries + 1))} />;
  };
}
