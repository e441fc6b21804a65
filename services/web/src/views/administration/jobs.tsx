import { useMutation } from "@tanstack/preact-query";
import { api, data } from "../../api/client";
import { usePages } from "../../api/pages";
import { queries } from "../../api/queries";
import { ago } from "../../texts/format";
import { Listed } from "../../ui/list";
import { Button, Problem } from "../../ui/parts";
import { administrationTexts as say } from "./texts";

/** Background work that is not done: what it waits for, and the way to try it again. */
export function Jobs() {
  const { query, items } = usePages(["jobs"], (cursor) =>
    data(api.GET("/api/v1/jobs", { params: { query: { limit: 50, ...cursor } } })),
  );
  const retry = useMutation({
    mutationFn: (job_id: string) => data(api.POST("/api/v1/jobs/{job_id}/retry", { params: { path: { job_id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  return (
    <section class="card stack">
      <h2>{say.jobs}</h2>
      <p class="hint">{say.jobsMore}</p>
      <Listed query={query} n={items.length} empty={say.jobsNone}>
        <ul class="plainlist rows">
          {items.map((one) => (
            <li class="row" key={one.id}>
              <span>
                <strong>{say.kinds[one.kind]}</strong> {say.states[one.state]}
                <br />
                <span class="soft small">
                  {[say.since(ago(one.since)), one.attempts > 0 && say.attempts(one.attempts), one.cause]
                    .filter(Boolean)
                    .join(" · ")}
                </span>
              </span>
              {(one.state === "failed" || one.state === "parked") && (
                <Button disabled={retry.isPending} onClick={() => retry.mutate(one.id)}>
                  {say.retry}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Listed>
      {retry.error && <Problem error={retry.error} />}
    </section>
  );
}
