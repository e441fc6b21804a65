import { useQuery } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";

export type Whole = Schemas["StoppingOut"];
export type Audit = Schemas["AuditOut"];

export const STAGE = "title_abstract" as const;

/** What the person may know of how far a stage is. */
export const useStopping = (review: string) =>
  useQuery({
    queryKey: ["review", review, "stopping", STAGE],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/stopping", {
          params: { path: { review_id: review }, query: { stage: STAGE } },
        }),
      ),
  });

export function isWhole(found: Whole | Schemas["OwnStoppingOut"]): found is Whole {
  return "n_pool" in found;
}
