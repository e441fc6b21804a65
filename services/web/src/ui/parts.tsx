/** The small parts that every view is made of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { codeOf, Refused, sentence } from "../api/problem";
import { texts } from "../texts/en";
import { Icon, type IconName } from "./icons";

type ButtonProps = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "icon"> & {
  kind?: "plain" | "main" | "quiet" | "danger";
  icon?: IconName;
};

export function Button({ kind = "plain", icon, children, class: extra, ...rest }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind} ${extra ?? ""}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function ButtonLink(props: { href: string; kind?: "plain" | "main"; children: ComponentChildren }) {
  return (
    <Link class={`button ${props.kind ?? "plain"}`} href={props.href}>
      {props.children}
    </Link>
  );
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** The label is for screen readers alone: what it says stands beside it. */
  hideLabel?: boolean;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ComponentChildren;
}

/** A label, what it labels, a hint and what is wrong with it. */
export function Field({ label, hint, error, hideLabel, children }: FieldProps) {
  const id = useId();
  const says = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id} class={hideLabel ? "hidden" : ""}>
        {label}
      </label>
      {children({
        id,
        ...(says ? { "aria-describedby": says } : {}),
        ...(error ? { "aria-invalid": true as const } : {}),
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="wrong" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const request = error instanceof Refused ? error.problem.request_id : null;
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{codeOf(error) === "forbidden" ? texts.problem.noRight : texts.problem.title}</strong>
      </p>
      <p>{sentence(error)}</p>
      {request && codeOf(error) === "internal" && <p class="hint">{texts.problem.request(request)}</p>}
      {again && <Button onClick={again}>{texts.problem.again}</Button>}
    </div>
  );
}

/** Shown only when it takes longer than a moment. */
export function Loading() {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" role="status">
      {shown && (
        <>
          <span class="hidden">{texts.loading}</span>
          <div class="bone wide" />
          <div class="bone" />
          <div class="bone" />
        </>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface DialogProps {
  title: string;
  close: () => void;
  sheet?: boolean;
  children: ComponentChildren;
}

/** A modal window; on small screens a sheet from below. The focus returns to where it was. */
export function Dialog({ title, close, sheet, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={sheet ? "sheet" : ""}
      aria-labelledby={id}
      onClose={close}
      onClick={(event) => event.target === ref.current && close()}
    >
      <div class="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" icon="close" aria-label={texts.close} onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** How much of a whole is done; the number stands beside it, too. */
export function Meter({ value, of, label }: { value: number; of: number; label: string }) {
  return <progress class="meter" value={value} max={Math.max(1, of)} aria-label={label} />;
}

/** Asks for pages of a list until there is no more. */
export function More({ query }: { query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  if (!query.hasNextPage) return null;
  return (
    <p class="more">
      <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {texts.more}
      </Button>
    </p>
  );
}
