import { useMutation } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { outdated } from "../../api/queries";
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
  return (
    <section class="card stack">
      <h2>{say.codes}</h2>
      {isOwner && <p class="hint">{say.codesMore}</p>}
      {query.isPending && <Loading />}
      {(query.error ?? mark.error) && <Problem error={query.error ?? mark.error} />}
      <ul class="plainlist rows">
        {items.map((one) => (
          <li class="row" key={one.id}>
            <span>
              <strong>{one.path.join(" › ")}</strong>
              <br />
              <span class="soft small">{say.n(one.n_passages)}</span>
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
