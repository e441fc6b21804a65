import { useMutation } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { outdated, useWaiting } from "../../api/queries";
import { useWaves } from "../../api/waves";
import { texts } from "../../texts/en";
import { at, listed } from "../../texts/format";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { Confirm } from "../../ui/confirm";
import { Chosen, DropFiles } from "../../ui/drop_files";
import { Button, ButtonLink, Field, Meter, Problem } from "../../ui/parts";
import type { ViewProps } from "../review";
import { CorrectSearch, searchOf } from "./correct";
import { Present } from "./present";
import { importTexts as say } from "./texts";
import { type About, upload } from "./upload";
import "./imports.css";

type Import = Schemas["ImportOut"];

const LOOK_MS = 3000;

interface Sending {
  file: File;
  percent: number;
  error: unknown;
}

/** Files into the review: send them, see what became of each. */
export function Imports({ review }: ViewProps) {
  useTitle(say.title);
  const { query, items } = usePages(["review", review.id, "imports"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/imports", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  const isRunning = items.some((one) => one.state === "queued" || one.state === "running");
  useEffect(() => {
    if (!isRunning) return;
    // Events say so, too; but a proxy may hold them back.
    const looking = setInterval(() => outdated(review.id, "imports"), LOOK_MS);
    return () => clearInterval(looking);
  }, [isRunning, review.id]);
  const waves = useWaves(review.id);
  const isOpen = review.archived_at === null;
  return (
    <Shell review={review}>
      <h1>{say.title}</h1>
      {isOpen && <Present waves={waves} />}
      {isOpen && <Upload review={review.id} before={items} />}
      {isOpen && !isRunning && items.some((one) => one.state === "done" && one.n_added > 0) && <Next review={review.id} />}
      <section class="stack">
        <h2>{say.earlier}</h2>
        <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
          <ul class="plainlist stack">
            {items.map((one) => (
              <Row key={one.id} one={one} review={review.id} isOpen={isOpen} wave={waves.find(({ wave }) => wave === one.wave)?.label} />
            ))}
          </ul>
        </Listed>
      </section>
    </Shell>
  );
}

/** What comes after the import. */
function Next({ review }: { review: string }) {
  const duplicates = useWaiting(review).data?.duplicates ?? 0;
  return (
    <section class="notice good">
      <h2>{say.next}</h2>
      <div class="actions">
        {duplicates > 0 && <ButtonLink href={`/r/${review}/duplicates`}>{say.nextDuplicates(duplicates)}</ButtonLink>}
        <ButtonLink href={`/r/${review}/team`}>{say.nextTeam}</ButtonLink>
        <ButtonLink href={`/r/${review}/screen`}>{texts.nav.screen}</ButtonLink>
      </div>
    </section>
  );
}

function Upload({ review, before }: { review: string; before: Import[] }) {
  const [chosen, choose] = useState<File[]>([]);
  const again = before.filter((one) => one.state !== "taken_back" && chosen.some(({ name }) => name === one.filename));
  const [sending, setSending] = useState<Sending[]>([]);
  const changed = (file: File, what: Partial<Sending>) =>
    setSending((now) => now.map((one) => (one.file === file ? { ...one, ...what } : one)));
  const send = async (files: File[], about: About) => {
    for (const file of files) {
      try {
        await upload(review, file, about, (percent) => changed(file, { percent }));
        setSending((now) => now.filter((one) => one.file !== file));
      } catch (error) {
        changed(file, { error });
      }
      outdated(review, "imports");
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const about = { source: text("source"), platform: text("platform"), searched_on: text("searched_on"), strategy: text("strategy"), found_by: text("found_by") };
    const isChosen = ({ file: { name, size, lastModified } }: Sending) =>
      chosen.some((file) => file.name === name && file.size === size && file.lastModified === lastModified);
    const fresh = chosen.map((file) => ({ file, percent: 0, error: null }));
    // What did not arrive is tried again: it is not shown twice.
    setSending((now) => [...now.filter((one) => one.error === null || !isChosen(one)), ...fresh]);
    void send(chosen, about);
    choose([]);
  };
  return (
    <form class="card stack" onSubmit={submit}>
      <DropFiles title={say.drop} hint={say.formats} add={(files) => choose([...chosen, ...files])} />
      <Chosen files={chosen} choose={choose} />
      {again.length > 0 && (
        <p class="notice warn" role="status">
          {say.imported(listed([...new Set(again.map((one) => one.filename))]))}
        </p>
      )}
      <details open={chosen.length > 0}>
        <summary>{say.details}</summary>
        <div class="form">
          <Field label={say.foundBy}>
            {(ids) => (
              <select {...ids} name="found_by">
                {Object.entries(say.waysFound).map(([one, name]) => (
                  <option key={one} value={one}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={say.source}>{(ids) => <input {...ids} name="source" maxLength={200} />}</Field>
          <Field label={say.platform}>{(ids) => <input {...ids} name="platform" maxLength={200} />}</Field>
          <Field label={say.searchedOn}>{(ids) => <input {...ids} name="searched_on" type="date" />}</Field>
          <Field label={say.strategy}>{(ids) => <textarea {...ids} name="strategy" rows={3} />}</Field>
        </div>
      </details>
      <div class="actions">
        <Button kind="main" type="submit" disabled={chosen.length === 0}>
          {say.send(chosen.length)}
        </Button>
        <span class="hint">{say.leave}</span>
      </div>
      {sending.map((one) => (
        <div key={one.file.name} class="stack small">
          <span>
            {one.file.name} · {say.sending(one.percent)}
          </span>
          <Meter value={one.percent} of={100} label={one.file.name} />
          {one.error !== null && (
            <p class="wrong" role="alert">
              {sentence(one.error)}
            </p>
          )}
        </div>
      ))}
    </form>
  );
}

/** Where its records begin, where that is not at title and abstract. */
function startOf(one: Import): string | null {
  if (one.found_by === "previous") return say.starts.previous;
  return one.screening === "full_text" ? say.starts.full_text : null;
}

interface RowProps {
  one: Import;
  review: string;
  isOpen: boolean;
  wave: string | undefined;
}

function Row({ one, review, isOpen, wave }: RowProps) {
  const [isAsking, ask] = useState(false);
  const isRunning = one.state === "queued" || one.state === "running";
  const params = { path: { review_id: review, import_id: one.id } };
  const takeBack = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/reviews/{review_id}/imports/{import_id}", { params })),
    onSuccess: () => {
      ask(false);
      outdated(review);
    },
  });
  const priors = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/reviews/{review_id}/imports/{import_id}/prior-decisions", { params })),
    onSuccess: () => outdated(review),
  });
  return (
    <li class="card stack">
      <div class="head">
        <span>
          <strong>{one.filename}</strong>
          <br />
          <span class="soft small">
            {[one.source, wave, searchOf(one), one.created_by_name, at(one.created_at)].filter(Boolean).join(" · ")}
          </span>
        </span>
        <span class={`state ${one.state}`}>{one.step === "linking" ? say.linking : say.states[one.state]}</span>
      </div>
      {isRunning && <Meter value={one.percent ?? 0} of={100} label={one.filename} />}
      {isRunning && one.n_total !== null && <p class="small soft">{say.of(one.n_read, one.n_total)}</p>}
      {one.error && <p class="wrong">{one.error}</p>}
      {one.state !== "taken_back" &&
        one.warnings.map((warning) => (
          <p class="notice warn" key={warning.detail}>
            {warning.detail}
          </p>
        ))}
      {(one.state === "done" || one.state === "failed") && (
        <div class="head">
          <span>{one.state === "done" && [say.result(one.n_added, one.n_duplicates), startOf(one)].filter(Boolean).join(" · ")}</span>
          {isOpen && (
            <span class="actions">
              {one.state === "done" && <CorrectSearch one={one} review={review} />}
              <Button kind="quiet" aria-label={say.takeBackOf(one.filename)} onClick={() => ask(true)}>
                {say.takeBack}
              </Button>
            </span>
          )}
        </div>
      )}
      {one.n_rejected > 0 && (
        <details>
          <summary>{say.rejected(one.n_rejected)}</summary>
          <ul class="plainlist rows small">
            {one.rejected.map((bad) => (
              <li class="row" key={bad.position}>
                <span>
                  <strong>{say.position(bad.position)}</strong>: {bad.reason}
                  <br />
                  <code class="soft">{bad.excerpt}</code>
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {isOpen && one.n_priors > 0 && one.priors_taken_at === null && one.state === "done" && (
        <div class="notice warn">
          <p>{say.priors(one.n_priors)}</p>
          <p class="hint">{say.takePriorsMore}</p>
          <Button disabled={priors.isPending} onClick={() => priors.mutate()}>
            {say.takePriors}
          </Button>
        </div>
      )}
      {isOpen && one.priors_taken_at !== null && (
        <details class="small soft">
          <summary>{say.tookPriors}</summary>
          <p>{say.takeRestWhy}</p>
          <Button disabled={priors.isPending} onClick={() => priors.mutate()}>
            {say.takeRest}
          </Button>
        </details>
      )}
      {priors.error && <Problem error={priors.error} />}
      {isAsking && (
        <Confirm
          title={say.takeBackTitle(one.filename)}
          effects={say.takeBackEffects(one.n_added)}
          does={say.takeBack}
          isDanger
          work={{ ...takeBack, mutate: () => takeBack.mutate() }}
          close={() => ask(false)}
        />
      )}
    </li>
  );
}
