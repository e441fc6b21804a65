import { useQuery } from "@tanstack/preact-query";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { prefix } from "../../api/address";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { Button, Field, Loading, Problem } from "../../ui/parts";
import { Tabs } from "../../ui/tabs";
import { useMarks } from "../screen/article";
import { Pages } from "./pages";
import { Plain } from "./plain";
import { reportTexts as say } from "./texts";

export type TextFile = Schemas["TextOut"];
export type Passage = Schemas["PassageOut"];

/** A file to read: its pages as pictures or its text, with a search in it. */
export function Reader({ review, file }: { review: Review; file: TextFile }) {
  const hasPages = file.pages !== null;
  const [shows, show] = useState<"pages" | "text">(hasPages ? "pages" : "text");
  const [words, search] = useState("");
  const [at, go] = useState(0);
  const marks = useMarks(review);
  const found = useFound(review.id, file, words);
  const passages = found.data?.items ?? [];
  const step = (by: number) => go((now) => (now + by + passages.length) % Math.max(1, passages.length));
  useEffect(() => go(0), [words]);
  return (
    <div class="reader">
      <div class="reader-bar">
        {hasPages && file.state === "ready" && (
          <Tabs
            label={say.shows}
            value={shows}
            options={[
              ["pages", say.asPages],
              ["text", say.asText],
            ]}
            change={show}
          />
        )}
        {file.state === "ready" && (
          <Find found={words === "" || found.isPending ? null : passages.length} at={at} search={search} step={step} />
        )}
        <a class="small" href={`${prefix}/api/v1/reviews/${review.id}/texts/${file.id}/file`} target="_blank" rel="noreferrer">
          {say.download}
        </a>
      </div>
      {found.error && <Problem error={found.error} again={() => void found.refetch()} />}
      {shows === "pages" && file.pages !== null ? (
        <Pages review={review.id} file={file} n={file.pages} passages={passages} at={passages[at]} words={review.highlights} />
      ) : (
        <Plain review={review.id} file={file} passages={passages} at={passages[at]} marks={marks} />
      )}
    </div>
  );
}

function useFound(review: string, file: TextFile, words: string) {
  return useQuery({
    queryKey: ["review", review, "texts", file.id, "found", words],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/texts/{text_id}/highlights", {
          params: { path: { review_id: review, text_id: file.id }, query: { terms: [words] } },
        }),
      ),
    enabled: words !== "",
    staleTime: Infinity,
  });
}

interface FindProps {
  /** How often the words were found; null while nothing is sought. */
  found: number | null;
  at: number;
  search: (words: string) => void;
  step: (by: number) => void;
}

function Find({ found, at, search, step }: FindProps) {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    search(input.current?.value.trim() ?? "");
  };
  return (
    <form class="reader-find" role="search" onSubmit={submit}>
      <Field label={say.find}>
        {(ids) => (
          <input
            {...ids}
            ref={input}
            type="search"
            maxLength={100}
            placeholder={say.findHint}
            onSearch={(event) => event.currentTarget.value === "" && search("")}
          />
        )}
      </Field>
      {found !== null && (
        <>
          <span class="small" role="status">
            {found === 0 ? say.foundNone : say.found(at + 1, found)}
          </span>
          <Button kind="quiet" icon="up" aria-label={say.before} disabled={found < 2} onClick={() => step(-1)} />
          <Button kind="quiet" icon="down" aria-label={say.after} disabled={found < 2} onClick={() => step(1)} />
        </>
      )}
    </form>
  );
}

/** The files of a report; the one that is chosen is read. */
export function Files({ review, files }: { review: Review; files: readonly TextFile[] }) {
  const readable = useMemo(() => files.filter((one) => one.state === "ready" || one.state === "no_text"), [files]);
  const [chosen, choose] = useState<string | null>(null);
  const file = readable.find((one) => one.id === chosen) ?? readable[0];
  if (files.length === 0) return null;
  return (
    <section class="stack" aria-label={say.files}>
      {readable.length > 1 && (
        <Field label={say.whichFile}>
          {(ids) => (
            <select {...ids} value={file?.id ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
              {readable.map((one) => (
                <option key={one.id} value={one.id}>
                  {say.kinds[one.kind]}: {one.filename}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {files.some((one) => one.state === "queued") && (
        <p class="notice" role="status">
          {say.beingRead}
        </p>
      )}
      {file === undefined ? <NotReadable files={files} /> : <Reader key={file.id} review={review} file={file} />}
    </section>
  );
}

function NotReadable({ files }: { files: readonly TextFile[] }) {
  const failed = files.filter((one) => one.state !== "queued");
  if (failed.length === 0) return <Loading />;
  return (
    <ul class="plainlist stack">
      {failed.map((one) => (
        <li key={one.id} class="notice warn">
          {one.filename}: {say.wrong(one)}
        </li>
      ))}
    </ul>
  );
}
