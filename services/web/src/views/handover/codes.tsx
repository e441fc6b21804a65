import { useMutation } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated } from "../../api/queries";
import { send } from "../../api/sending";
import { FileField } from "../../ui/file_field";
import { Field, Loading, More, Problem } from "../../ui/parts";
import { synthesisTexts as say } from "./synthesis_texts";

type Kind = Schemas["CodeKind"];

/** The code book that came back; owners mark which codes are themes and constructs. */
export function Codes({ review, isOwner }: { review: string; isOwner: boolean }) {
  const { query, items } = usePages(["review", review, "synthesis", "codes"], (cursor) =>
    data(
      api.GET("/api/v1/reviews/{review_id}/synthesis/codes", {
        params: { path: { review_id: review }, query: { limit: 100, ...cursor } },
      }),
    ),
  );
  const mark = useMutation({
    mutationFn: ({ code_id, kind }: { code_id: string; kind: Kind | null }) =>
      data(
        api.PATCH("/api/v1/reviews/{review_id}/synthesis/codes/{code_id}", {
          params: { path: { review_id: review, code_id } },
          body: { kind },
        }),
      ),
    onSuccess: () => outdated(review, "synthesis"),
  });
  const give = useMutation({
    mutationFn: (file: File) => {
      const body = new FormData();
      body.append("file", file);
      return send<null>(`reviews/${review}/synthesis/code-book`, body, () => undefined, "PUT");
    },
    onSuccess: () => outdated(review, "synthesis"),
  });
  return (
    <section class="card stack">
      <h2>{say.codeBook}</h2>
      <p class="hint">{isOwner ? say.codesMore : say.codeBookMore}</p>
      {isOwner && (
        <FileField label={say.giveCodeBook} accept=".qdc,.txt" disabled={give.isPending} add={(file) => give.mutate(file)} />
      )}
      {give.error && <Problem error={give.error} />}
      {query.isSuccess && items.length === 0 && <p class="soft">{say.noCodes}</p>}
      {query.isPending && <Loading />}
      {(query.error ?? mark.error) && <Problem error={query.error ?? mark.error} />}
      <ul class="plainlist rows">
        {items.map((one) => (
          <li class="row code" key={one.id} data-depth={Math.min(one.path.length - 1, 4)}>
            <span>
              <strong>{one.name}</strong>
              <span class="soft small">
                {" "}
                {[one.path.length > 1 && say.under(one.path.slice(0, -1).join(" › ")), say.n(one.n_passages)].filter(Boolean).join(" · ")}
              </span>
              {one.description && <p class="small">{one.description}</p>}
            </span>
            {isOwner ? (
              <Field label={say.of(say.kinds[""], one.name)} hideLabel>
                {(ids) => (
                  <select
                    {...ids}
                    value={one.kind ?? ""}
                    disabled={mark.isPending}
                    onChange={(event) =>
                      mark.mutate({ code_id: one.id, kind: (event.currentTarget.value as Kind | "") || null })
                    }
                  >
                    {Object.entries(say.kinds).map(([kind, name]) => (
                      <option key={kind} value={kind}>
                        {name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
            ) : (
              <span class="chip">{say.kinds[one.kind ?? ""]}</span>
            )}
          </li>
        ))}
      </ul>
      <More query={query} />
    </section>
  );
}
