import { useMutation, useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { prefix } from "../../api/address";
import { api, asProblem, data, newKey, type Schemas } from "../../api/client";
import { Refused } from "../../api/problem";
import { outdated, type Review } from "../../api/queries";
import { Button, Field, Problem } from "../../ui/parts";
import type { Report } from "./one_report";
import { reportTexts as say } from "./texts";

type File_ = Schemas["TextOut"];

/** The files of a report, each page as a picture with its text beside it; and the way to add one. */
export function Files({ review, report }: { review: Review; report: Report }) {
  const send = useMutation({
    mutationFn: (file: File) => upload(review.id, report.id, file),
    onSuccess: () => outdated(review.id, "reports"),
  });
  const isOpen = review.archived_at === null && review.role !== "observer";
  return (
    <section class="card stack">
      <h2>{say.files}</h2>
      {report.texts.length === 0 && <p class="soft">{say.noFiles}</p>}
      {report.texts.map((one) => (
        <One key={one.id} review={review.id} file={one} />
      ))}
      {isOpen && (
        <Field label={say.upload}>
          {(ids) => (
            <input
              {...ids}
              type="file"
              disabled={send.isPending}
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                if (file) send.mutate(file);
              }}
            />
          )}
        </Field>
      )}
      <p role="status">{send.isPending && say.uploading}</p>
      {send.error && <Problem error={send.error} />}
    </section>
  );
}

async function upload(review: string, report: string, file: File): Promise<void> {
  const body = new FormData();
  body.append("file", file);
  const answer = await fetch(`${prefix}/api/v1/reviews/${review}/reports/${report}/texts`, {
    method: "POST",
    body,
    headers: { "Idempotency-Key": newKey() },
  });
  if (!answer.ok) throw new Refused(asProblem(await answer.json().catch(() => null), answer.status));
}

function One({ review, file }: { review: string; file: File_ }) {
  const [page, turn] = useState(1);
  const address = `${prefix}/api/v1/reviews/${review}/texts/${file.id}`;
  const isReadable = file.state === "ready" || file.state === "no_text";
  const plain = useQuery({
    queryKey: ["review", review, "reports", "plain", file.id],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/texts/{text_id}/plain", {
          params: { path: { review_id: review, text_id: file.id } },
          parseAs: "text",
        }),
      ),
    enabled: file.state === "ready",
  });
  const said = [file.pages !== null && say.pages(file.pages), say.states[file.state]].filter(Boolean).join(" · ");
  return (
    <div class="stack">
      <p>
        <strong>{file.filename}</strong> <span class="soft small">{said}</span>{" "}
        {isReadable && (
          <a href={`${address}/file`} target="_blank" rel="noreferrer">
            {say.download}
          </a>
        )}
      </p>
      {isReadable && (
        <div class="text-beside">
          {file.pages !== null && (
            <div class="stack">
              <img class="page-picture" src={`${address}/pages/${page}.png`} alt={say.pageAlt(page)} />
              <div class="actions">
                <Button disabled={page === 1} onClick={() => turn(page - 1)}>
                  {say.previous}
                </Button>
                <span class="small" role="status">
                  {say.page(page, file.pages)}
                </span>
                <Button disabled={page === file.pages} onClick={() => turn(page + 1)}>
                  {say.next}
                </Button>
              </div>
            </div>
          )}
          {plain.data !== undefined && (
            <div class="text-plain" tabIndex={0} role="region" aria-label={say.plain}>
              {String(plain.data)}
            </div>
          )}
        </div>
      )}
      {plain.error && <Problem error={plain.error} again={() => void plain.refetch()} />}
    </div>
  );
}
