import { Link } from "wouter-preact";
import type { Schemas } from "../../api/client";
import { inAll, useAffected, useReviews } from "../../api/queries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { ButtonLink, Empty, Loading, Meter, More, Problem } from "../../ui/parts";
import { firstView, onlySettles, unsentOf } from "./first";
import "./reviews.css";

type Listed = Schemas["ListedReviewOut"];

/** The reviews that somebody is in, each with what waits for them. */
export function Reviews() {
  useTitle(texts.reviews.title);
  const reviews = useReviews(false);
  const archived = useReviews(true);
  const items = reviews.data?.pages.flatMap((page) => page.items) ?? [];
  const old = archived.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Shell>
      <div class="head">
        <h1>{texts.reviews.title}</h1>
        {items.length > 0 && <ButtonLink href="/new">{texts.reviews.make}</ButtonLink>}
      </div>
      {reviews.isPending && <Loading />}
      {reviews.error && <Problem error={reviews.error} again={() => void reviews.refetch()} />}
      {reviews.isSuccess && items.length === 0 && (
        <Empty title={texts.reviews.empty}>
          <ButtonLink kind="main" href="/new">
            {texts.reviews.make}
          </ButtonLink>
        </Empty>
      )}
      <ul class="plainlist stack">
        {items.map((review) => (
          <ReviewCard key={review.id} review={review} />
        ))}
      </ul>
      <More query={reviews} />
      {old.length > 0 && (
        <details>
          <summary>
            {texts.reviews.archived} ({old.length})
          </summary>
          <ul class="plainlist archived">
            {old.map((review) => (
              <li key={review.id}>
                <Link href={`/r/${review.id}/progress`}>{review.title}</Link>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Shell>
  );
}

function ReviewCard({ review }: { review: Listed }) {
  const { outbox } = usePerson();
  const at = (view: string) => `/r/${review.id}/${view}`;
  const unsent = unsentOf(outbox.entries, review.id);
  const done = review.n_decided_by_me + unsent.title_abstract;
  const left = review.remaining_for_me === null ? null : Math.max(0, review.remaining_for_me - unsent.title_abstract);
  const atFullText = Math.max(0, (review.remaining_at_full_text ?? 0) - unsent.full_text);
  const first = firstView({ ...review, left, atFullText, n_decided_by_me: done, conflicts: review.waiting.conflicts });
  const screens = left !== null && !onlySettles(review.role, done);
  const begins = { conflicts: texts.nav.conflicts, screen: texts.reviews.screen, "reports/screen": texts.reviews.screenTexts, import: texts.nav.import, progress: texts.reviews.open };
  return (
    <li class="card review">
      <div>
        <h2>
          <Link href={at(first)}>{review.title}</Link>
        </h2>
        <p class="soft small">
          {texts.roles[review.role]} · {review.n_records === 0 ? texts.reviews.noRecords : texts.reviews.records(review.n_records)}
        </p>
      </div>
      {screens && review.n_records > 0 && (
        <div class="review-progress">
          {done + left > 0 && <Meter value={done} of={done + left} label={texts.reviews.decided(done, done + left)} />}
          {left > 0 && <p class="small">{texts.reviews.left(left)}</p>}
          {atFullText > 0 && (
            <p class="small">
              <Link href={at("reports/screen")}>{texts.reviews.leftTexts(atFullText)}</Link>
            </p>
          )}
          {left === 0 && atFullText === 0 && <p class="small">{texts.reviews.allDone}</p>}
        </div>
      )}
      <Waiting review={review} at={at} />
      <div class="actions">
        <ButtonLink kind={first === "progress" || first === "import" ? "plain" : "main"} href={at(first)}>
          {begins[first]}
        </ButtonLink>
      </div>
    </li>
  );
}

function Waiting({ review, at }: { review: Listed; at: (view: string) => string }) {
  const { waiting } = review;
  const affected = inAll(useAffected(review));
  const places = [
    ["conflicts", waiting.conflicts, texts.reviews.conflicts],
    ["mine/again", affected, texts.reviews.toLookAgain],
    ["duplicates", waiting.duplicates, texts.reviews.duplicates],
    ["import", waiting.imports_failed, texts.reviews.importsFailed],
    ["team", waiting.invitations, texts.reviews.invitations],
  ] as const;
  const { role } = review;
  const may = { import: role === "owner", duplicates: role === "owner" || role === "adjudicator" };
  const shown = places.filter(([view, n]) => n && (!(view in may) || may[view as keyof typeof may]));
  if (shown.length === 0) return null;
  return (
    <ul class="chips">
      {shown.map(([view, n, says]) => (
        <li key={view}>
          <Link class="chip" href={at(view)}>
            {says(n ?? 0)}
          </Link>
        </li>
      ))}
    </ul>
  );
}
