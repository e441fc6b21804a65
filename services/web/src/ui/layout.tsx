import type { ComponentChildren } from "preact";
import { useContext, useState } from "preact/hooks";
import { Link, useRoute } from "wouter-preact";
import { prefix } from "../api/address";
import type { Review } from "../api/queries";
import { inAll, useAffected, useWaiting } from "../api/queries";
import { number } from "../texts/format";
import { texts } from "../texts/en";
import { onlySettles } from "../views/reviews/first";
import { PersonContext } from "./context";
import { Button, Dialog } from "./parts";

interface ShellProps {
  review?: Review | undefined;
  /** What the bar at the top shows beside the review's title. */
  bar?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

/** The frame of every view: bar, places to go to, content. */
export function Shell({ review, bar, wide, children }: ShellProps) {
  const person = useContext(PersonContext);
  const [isOpen, open] = useState(false);
  return (
    <div class={`shell ${review ? "with-rail" : ""}`}>
      <a class="skip button" href="#content">
        {texts.skip}
      </a>
      <header class="bar">
        {person && (
          <span class="only-narrow">
            <Button kind="quiet" icon="menu" aria-label={texts.menu} onClick={() => open(true)} />
          </span>
        )}
        <Link href="/" class="brand" aria-label={texts.tandem}>
          <img src={`${prefix}/icon.svg`} alt="" width="28" height="28" />
          <span class="brand-name">{texts.tandem}</span>
        </Link>
        {review && <span class="bar-title">{review.title}</span>}
        <div class="bar-end">
          {bar}
          {person && (
            <Link href="/me" class="button quiet only-wide">
              {person.me.name}
            </Link>
          )}
        </div>
      </header>
      {review && (
        <nav class="rail" aria-label={texts.nav.label}>
          <Places review={review} />
        </nav>
      )}
      <main id="content" tabIndex={-1} class={wide ? "wide" : ""}>
        {review?.archived_at && (
          <p class="notice">
            <strong>{texts.archived}</strong> {review.role === "owner" && <Link href={`/r/${review.id}/settings`}>{texts.archivedMore}</Link>}
          </p>
        )}
        {children}
      </main>
      {isOpen && (
        <Dialog title={review?.title ?? texts.tandem} close={() => open(false)} sheet>
          <nav aria-label={texts.menu} onClick={() => open(false)}>
            {review && <Places review={review} />}
            <ul class="places">
              <Place href="/" name={texts.nav.reviews} />
              <Place href="/me" name={texts.nav.account} />
              {person?.me.is_admin && <Place href="/administration" name={texts.nav.administration} />}
            </ul>
          </nav>
        </Dialog>
      )}
    </div>
  );
}

function Places({ review }: { review: Review }) {
  const waiting = useWaiting(review.id).data;
  const affected = inAll(useAffected(review));
  const at = (view: string) => `/r/${review.id}/${view}`;
  const open = review.archived_at === null;
  // In an archived review nothing waits for anybody.
  const left = open ? waiting : undefined;
  const decides = review.role !== "observer";
  const owns = review.role === "owner";
  const seesAll = owns || review.role === "adjudicator" || isOpenToAll(review);
  const settles = owns || review.role === "adjudicator" || waiting?.conflicts !== null;
  const { nav } = texts;
  const settlesOnly = waiting !== undefined && onlySettles(review.role, waiting.n_decided_by_me);
  const conflicts = settles && <Place href={at("conflicts")} name={nav.conflicts} n={left?.conflicts} />;
  return (
    <ul class="places">
      {review.role === "adjudicator" && conflicts}
      {decides && open && <Place href={at("screen")} name={nav.screen} n={settlesOnly ? 0 : left?.remaining_for_me} />}
      {decides && <Place href={at("mine")} name={nav.mine} n={affected} />}
      {review.role !== "adjudicator" && conflicts}
      <Place href={at("progress")} name={nav.progress} />
      <Place href={at("stopping")} name={nav.stopping} />
      <Place href={at("records")} name={nav.records} />
      <Place href={at("reports")} name={nav.reports} n={settlesOnly ? 0 : left?.remaining_at_full_text} />
      {seesAll && <Place href={at("flow")} name={nav.flow} />}
      {(owns || review.role === "adjudicator") && <Place href={at("duplicates")} name={nav.duplicates} n={left?.duplicates} />}
      {owns && open && <Place href={at("import")} name={nav.import} n={left?.imports_failed} />}
      <Place href={at("team")} name={nav.team} n={left?.invitations} />
      {owns && <Place href={at("settings")} name={nav.settings} />}
      <Place href={at("export")} name={nav.export} />
      {seesAll && <Place href={at("handover")} name={nav.handover} />}
    </ul>
  );
}

/** Whether everybody sees what the others decided, in both stages. */
function isOpenToAll({ policy }: Review): boolean {
  return !policy.title_abstract.blind && !policy.full_text.blind;
}

function Place({ href, name, n }: { href: string; name: string; n?: number | null | undefined }) {
  const [isHere] = useRoute(href === "/" ? href : `${href}/*?`);
  return (
    <li>
      <Link href={href} aria-current={isHere ? "page" : undefined}>
        {name}
        {n ? <span class="n">{number(n)}</span> : null}
      </Link>
    </li>
  );
}
