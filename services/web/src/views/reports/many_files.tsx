import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, inReview, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { send } from "../../api/sending";
import { at } from "../../texts/format";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Loading, Meter, Problem } from "../../ui/parts";
import { Chosen, DropFiles } from "../../ui/drop_files";
import { ToSettle } from "./to_settle";
import { Places } from "./places";
import { reportTexts } from "./texts";

const say = reportTexts.many;
const LOOK_MS = 1500;

type Batch = Schemas["TextBatchOut"];
export type Item = Schemas["TextItemOut"];

/** Many files at once: send them, see which report each belongs to, settle what is unsure. */
export function ManyFiles({ review }: { review: Review }) {
  useTitle(say.title);
  const { query, items } = usePages(["review", review.id, "reports", "batches"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/text-batches", {
        params: { path: { review_id: review.id }, query: { limit: 20, ...cursor } },
      }),
    ),
  );
  return (
    <Shell review={review} wide>
      <h1>{say.title}</h1>
      <Places review={review} here="files" />
      <SendFiles review={review} />
      <section class="stack">
        <h2>{say.earlier}</h2>
        <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
          <ul class="plainlist stack">
            {items.map((one, index) => (
              <OneBatch key={one.id} batch={one} review={review} isNewest={index === 0} />
            ))}
          </ul>
        </Listed>
      </section>
    </Shell>
  );
}

function SendFiles({ review }: { review: Review }) {
  const [chosen, choose] = useState<File[]>([]);
  const [percent, setPercent] = useState(0);
  const work = useMutation({
    mutationFn: (files: readonly File[]) => {
      const form = new FormData();
      for (const file of files) {
        // A file of references says which file is of which record.
        form.append(isMap(file, files) ? "map" : "files", file);
      }
      setPercent(0);
      return send<Schemas["WholeTextBatchOut"]>(`reviews/${review.id}/texts`, form, setPercent);
    },
    onSuccess: () => {
      choose([]);
      outdated(review.id, "reports");
    },
  });
  const texts = chosen.filter((file) => !isMap(file, chosen));
  return (
    <section class="card stack">
      <DropFiles title={say.drop} hint={say.formats} add={(files) => choose([...chosen, ...files])} />
      <Chosen files={chosen} choose={choose} />
      {work.error && <Problem error={work.error} />}
      {work.isPending && <Meter value={percent} of={100} label={reportTexts.sending(percent)} />}
      <div class="actions">
        <button
          type="button"
          class="button main"
          disabled={texts.length === 0 || work.isPending}
          onClick={() => work.mutate(chosen)}
        >
          {say.send(texts.length)}
        </button>
        <span class="hint" role="status">
          {work.isPending ? reportTexts.sending(percent) : say.how}
        </span>
      </div>
    </section>
  );
}

/** The first file that is no text but says whose they are: RIS, XML, BibTeX or CSV. */
function isMap(file: File, among: readonly File[]): boolean {
  return among.find((one) => /\.(ris|xml|bib|csv)$/i.test(one.name)) === file;
}

function OneBatch({ batch, review, isNewest }: { batch: Batch; review: Review; isNewest: boolean }) {
  const [isOpen, open] = useState(false);
  const isShown = isOpen || isNewest || batch.n_to_settle > 0;
  return (
    <li class="card stack">
      <div class="head">
        <span>
          <strong>{say.files(batch.n_files)}</strong>
          <br />
          <span class="soft small">{say.sent(batch.created_by_name, at(batch.created_at))}</span>
        </span>
        {!isShown && (
          <button type="button" class="button" onClick={() => open(true)}>
            {say.show}
          </button>
        )}
      </div>
      {isShown && <Items review={review} id={batch.id} />}
    </li>
  );
}

function Items({ review, id }: { review: Review; id: string }) {
  const found = useQuery({
    queryKey: ["review", review.id, "reports", "batch", id],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/text-batches/{batch_id}", {
          params: { path: { ...inReview(review.id).params.path, batch_id: id } },
        }),
      ),
    // Events say so, too; but a proxy may hold them back.
    refetchInterval: (query) => (query.state.data?.state === "done" ? false : LOOK_MS),
  });
  if (found.isPending) return <Loading />;
  if (found.error) return <Problem error={found.error} again={() => void found.refetch()} />;
  const { items, n_reading: reading, n_files: all } = found.data;
  const unsure = items.filter((one) => one.state === "proposed" || one.state === "unmatched");
  const failed = items.filter((one) => one.state === "failed");
  const placed = items.filter((one) => one.state === "matched" || one.state === "known");
  const aside = items.filter((one) => one.state === "set_aside");
  return (
    <>
      {reading > 0 && <Meter value={all - reading} of={all} label={say.reading(all - reading, all)} />}
      <p role="status">{reading > 0 ? say.reading(all - reading, all) : say.result(placed.length, unsure.length, failed.length)}</p>
      {unsure.length > 0 && (
        <ul class="plainlist stack">
          {unsure.map((one) => (
            <ToSettle key={one.position} review={review} batch={id} item={one} />
          ))}
        </ul>
      )}
      {failed.length > 0 && <Few title={say.failed(failed.length)} items={failed} review={review} batch={id} />}
      {placed.length > 0 && <Few title={say.placed(placed.length)} items={placed} review={review} batch={id} />}
      {aside.length > 0 && <Few title={say.aside(aside.length)} items={aside} review={review} batch={id} />}
    </>
  );
}

interface FewProps {
  title: string;
  items: readonly Item[];
  review: Review;
  batch: string;
}

function Few({ title, items, review, batch }: FewProps) {
  const [changing, change] = useState<number | null>(null);
  return (
    <details>
      <summary>{title}</summary>
      <ul class="plainlist rows small">
        {items.map((one) =>
          changing === one.position ? (
            <ToSettle key={one.position} review={review} batch={batch} item={one} done={() => change(null)} />
          ) : (
            <li class="row" key={one.position}>
              <span>
                {one.filename}
                {one.problem && <span class="wrong"> · {reportTexts.problems[one.problem]}</span>}
                {one.record_id && (
                  <>
                    <br />
                    <Link href={`/r/${review.id}/reports/${one.record_id}`}>{one.title ?? `#${one.record_id}`}</Link>
                    {one.state === "known" && <span class="soft"> · {say.known}</span>}
                  </>
                )}
              </span>
              {one.state !== "failed" && (
                <button type="button" class="button quiet" onClick={() => change(one.position)}>
                  {say.otherwise}
                </button>
              )}
            </li>
          ),
        )}
      </ul>
    </details>
  );
}
