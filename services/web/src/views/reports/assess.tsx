import type { Ref } from "preact";
import { Link } from "wouter-preact";
import type { Review } from "../../api/queries";
import type { QueueItem } from "../../outbox/store";
import { languageCode } from "../../texts/language";
import { Loading, Problem } from "../../ui/parts";
import { Abstract, Byline, Elsewhere, Marked, useMarks } from "../screen/article";
import { Screening } from "../screen/screen";
import { retrievalOf } from "./retrieval";
import { Places } from "./places";
import { useReport } from "./report";
import { Files } from "./reader";
import { reportTexts as say } from "./texts";

/** Screening at full text: one report after the other, its file beside the criteria. */
export function Assess({ review }: { review: Review }) {
  return (
    <Screening
      review={review}
      stage="full_text"
      title={say.assess}
      ends={say.ends}
      above={<Places review={review} here="screen" />}
      read={(item, title) => <Reading key={item.record.id} item={item} review={review} titleRef={title} />}
      beside={(item) => <AbstractFold item={item} review={review} isOpen />}
    />
  );
}

function Reading({ item, review, titleRef }: { item: QueueItem; review: Review; titleRef: Ref<HTMLHeadingElement> }) {
  const marks = useMarks(review);
  const found = useReport(review.id, item.record.id);
  const { record } = item;
  return (
    <article class="article full-text" lang={languageCode(record.language)}>
      <h2 class="article-title" tabIndex={-1} ref={titleRef}>
        <Marked text={record.title} marks={marks} />
      </h2>
      <Byline record={record} />
      <p class="small">
        <Link href={`/r/${review.id}/reports/${record.id}`}>{say.whole}</Link>
      </p>
      <div class="only-narrow">
        <AbstractFold item={item} review={review} />
      </div>
      {found.isPending && <Loading />}
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.data && found.data.texts.length === 0 && (
        <div class="notice">
          <p>{say.noFileHere}</p>
          <p class="soft small">{retrievalOf(found.data)}</p>
          {found.data.retrieval?.note && <p class="quote">{found.data.retrieval.note}</p>}
          <Elsewhere record={record} />
        </div>
      )}
      {found.data && <Files review={review} files={found.data.texts} />}
    </article>
  );
}

function AbstractFold({ item, review, isOpen }: { item: QueueItem; review: Review; isOpen?: boolean }) {
  const marks = useMarks(review);
  return (
    <details open={isOpen}>
      <summary>{say.abstract}</summary>
      <Abstract record={item.record} marks={marks} />
    </details>
  );
}
