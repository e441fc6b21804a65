import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated, type Review } from "../../api/queries";
import { send } from "../../api/sending";
import { ago, listed } from "../../texts/format";
import { Confirm } from "../../ui/confirm";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Listed } from "../../ui/list";
import { FileField } from "../../ui/file_field";
import { Button, Problem } from "../../ui/parts";
import { NoFlow } from "../flow/no_flow";
import { Coders } from "./coders";
import { Codes } from "./codes";
import { Matrix } from "./matrix";
import { synthesisTexts as say } from "./synthesis_texts";

type Project = Schemas["SynthesisImportOut"];

/** The coded project that comes back: its passages, its constructs, and what these rest on. */
export function Synthesis({ review }: { review: Review }) {
  useTitle(say.title);
  const { query, items } = usePages(["review", review.id, "synthesis", "imports"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/synthesis/imports", {
        params: { path: { review_id: review.id }, query: { limit: 50, ...cursor } },
      }),
    ),
  );
  const isOwner = review.role === "owner" && review.archived_at === null;
  return (
    <Shell review={review} wide>
      <Link class="small" href={`/r/${review.id}/handover`}>
        ← {say.back}
      </Link>
      <h1>{say.title}</h1>
      {query.error && items.length === 0 ? (
        <NoFlow error={query.error} again={() => void query.refetch()} />
      ) : (
        <>
          <p class="soft">{say.lead}</p>
          {isOwner && <Upload review={review.id} />}
          <section class="stack">
            <h2>{say.projects}</h2>
            <Listed query={query} n={items.length} empty={say.none} emptyMore={<p>{say.noneMore}</p>}>
              <ul class="plainlist rows">
                {items.map((one) => (
                  <One key={one.id} one={one} review={review.id} isOwner={isOwner} />
                ))}
              </ul>
            </Listed>
          </section>
          {query.isSuccess && <Codes review={review.id} isOwner={isOwner} />}
          {items.length > 0 && <Matrix review={review.id} />}
          {items.length > 0 && <Coders review={review.id} />}
        </>
      )}
    </Shell>
  );
}

function Upload({ review }: { review: string }) {
  const [percent, setPercent] = useState(0);
  const add = useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append("file", file);
      setPercent(0);
      return send<Project>(`reviews/${review}/synthesis/imports`, form, setPercent);
    },
    onSuccess: () => outdated(review, "synthesis"),
  });
  return (
    <section class="card stack">
      <FileField
        label={say.send}
        accept=".qdpx"
        disabled={add.isPending}
        add={(file) => add.mutate(file)}
      />
      <p class="small" role="status">
        {add.isPending && say.sending(percent)}
      </p>
      {add.error && <Problem error={add.error} />}
    </section>
  );
}

function One({ one, review, isOwner }: { one: Project; review: string; isOwner: boolean }) {
  const [isAsking, ask] = useState(false);
  const takeBack = useMutation({
    mutationFn: () =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/synthesis/imports/{synthesis_import_id}", {
          params: { path: { review_id: review, synthesis_import_id: one.id } },
        }),
      ),
    onSuccess: () => outdated(review, "synthesis"),
  });
  return (
    <li class="row">
      <span>
        <strong>{one.filename}</strong>
        <br />
        <span class="small">{say.passages(one.n_kept, one.n_moved, one.n_lost)}</span>
        <br />
        <span class="soft small">
          {[
            one.coders.length > 0 && say.coders(listed(one.coders)),
            one.name,
            ago(one.created_at),
            one.counts ? say.counts : say.replaced,
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </span>
      {isOwner && (
        <Button kind="quiet" aria-label={say.of(say.takeBack, one.filename)} onClick={() => ask(true)}>
          {say.takeBack}
        </Button>
      )}
      {isAsking && (
        <Confirm
          title={say.takeBackTitle(one.filename)}
          effects={say.takeBackEffects}
          does={say.takeBack}
          isDanger
          work={{ ...takeBack, mutate: () => takeBack.mutate() }}
          close={() => ask(false)}
        />
      )}
    </li>
  );
}
