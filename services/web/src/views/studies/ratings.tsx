import { useMutation, useQuery } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";
import { outdated } from "../../api/queries";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Button, Field, Loading, Problem } from "../../ui/parts";
import { studyTexts as say } from "./texts";

type Rating = Schemas["RatingOut"];

/** How rich and how relevant a report is: one's own marks, and those of others that may be seen. */
export function Ratings({ review, report }: { review: string; report: string }) {
  const { me } = usePerson();
  const path = { review_id: review, report_id: report };
  const found = useQuery({
    queryKey: ["review", review, "reports", "ratings", report],
    queryFn: () => data(api.GET("/api/v1/reviews/{review_id}/reports/{report_id}/ratings", { params: { path } })),
  });
  const rate = useMutation({
    mutationFn: (body: Schemas["RatingIn"]) =>
      data(api.PUT("/api/v1/reviews/{review_id}/reports/{report_id}/ratings", { params: { path }, body })),
    onSuccess: () => outdated(review, "reports", "ratings", report),
  });
  if (found.isPending) return <Loading />;
  if (found.error) return <Problem error={found.error} again={() => void found.refetch()} />;
  const mine = found.data.items.find((one) => one.by === me.id);
  const others = found.data.items.filter((one) => one.by !== me.id);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const mark = (name: string) => Number(form.get(name)) || null;
    rate.mutate({ richness: mark("richness"), relevance: mark("relevance") });
  };
  return (
    <form class="form" onSubmit={submit} key={`${mine?.richness} ${mine?.relevance}`}>
      <p class="hint">{say.ratingsMore}</p>
      <Mark name="richness" now={mine} />
      <Mark name="relevance" now={mine} />
      {rate.error && <Problem error={rate.error} />}
      <div class="actions">
        <Button type="submit" disabled={rate.isPending}>
          {texts.save}
        </Button>
        <span role="status">{rate.isSuccess && texts.saved}</span>
      </div>
      {others.map((one) => (
        <p class="small" key={one.by}>
          {say.rated(one.name, `${one.richness ?? "–"}`, `${one.relevance ?? "–"}`)}
        </p>
      ))}
    </form>
  );
}

function Mark({ name, now }: { name: "richness" | "relevance"; now: Rating | undefined }) {
  return (
    <Field label={say[name]}>
      {(ids) => (
        <select {...ids} name={name}>
          {Object.entries(say.marks).map(([mark, shown]) => (
            <option key={mark} value={mark} selected={mark === `${now?.[name] ?? ""}`}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
