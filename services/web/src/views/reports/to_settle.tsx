import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { Button, Field, Problem } from "../../ui/parts";
import type { Item } from "./many_files";
import { reportTexts } from "./texts";

const say = reportTexts.many;
const OTHERS = 8;

interface Props {
  review: Review;
  batch: string;
  item: Item;
  done?: () => void;
}

/** A file of which it is not sure whose it is: a person says so. */
export function ToSettle({ review, batch, item, done }: Props) {
  const settle = useMutation({
    mutationFn: (record_id: string | null) =>
      data(
        api.POST("/api/v1/reviews/{review_id}/text-batches/{batch_id}/items/{position}", {
          params: { path: { review_id: review.id, batch_id: batch, position: item.position } },
          body: { record_id },
        }),
      ),
    onSuccess: () => {
      outdated(review.id, "reports");
      done?.();
    },
  });
  const candidates = item.candidates.filter((one) => one.is_report);
  const others = item.candidates.filter((one) => !one.is_report);
  return (
    <li class="notice warn settle">
      <p>
        <strong>{item.filename}</strong>
      </p>
      <p class="small">{candidates.length > 0 ? say.whose : say.nobodys}</p>
      {candidates.map((one) => (
        <div class="row" key={`${one.record_id} ${one.evidence}`}>
          <span>
            {one.title}
            <br />
            <span class="soft small">{say.because(say.evidence[one.evidence], one.score)}</span>
          </span>
          <Button disabled={settle.isPending} onClick={() => settle.mutate(one.record_id)}>
            {say.itIs}
          </Button>
        </div>
      ))}
      {others.map((one) => (
        <p class="small soft" key={one.record_id}>
          {say.noReport(one.title)}
        </p>
      ))}
      <Another review={review} settle={(id) => settle.mutate(id)} isBusy={settle.isPending} />
      {settle.error && <Problem error={settle.error} />}
      <div class="actions">
        <Button kind="quiet" disabled={settle.isPending} onClick={() => settle.mutate(null)}>
          {say.noneOf}
        </Button>
        {done && (
          <Button kind="quiet" onClick={done}>
            {reportTexts.cancel}
          </Button>
        )}
      </div>
    </li>
  );
}

/** Finds a report by words of its title, for a file that nothing speaks for. */
function Another({ review, settle, isBusy }: { review: Review; settle: (id: string) => void; isBusy: boolean }) {
  const [words, setWords] = useState("");
  const found = useQuery({
    queryKey: ["review", review.id, "reports", "for a file", words],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/reports", {
          params: { path: { review_id: review.id }, query: { q: words, limit: OTHERS } },
        }),
      ),
    enabled: words.length > 2,
  });
  return (
    <>
      <Field label={say.another}>
        {(ids) => <input {...ids} type="search" onInput={(event) => setWords(event.currentTarget.value.trim())} />}
      </Field>
      {found.data?.items.length === 0 && <p class="small soft">{reportTexts.noneFiltered}</p>}
      {found.data?.items.map((one) => (
        <div class="row" key={one.id}>
          <span class="small">
            {one.title} <span class="soft">#{one.id}</span>
          </span>
          <Button disabled={isBusy} onClick={() => settle(one.id)}>
            {say.itIs}
          </Button>
        </div>
      ))}
    </>
  );
}
