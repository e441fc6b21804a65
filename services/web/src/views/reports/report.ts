import { useQuery } from "@tanstack/preact-query";
import { api, data, type Schemas } from "../../api/client";

export type Report = Schemas["ReportOut"];

const LOOK_MS = 2000;

/** One report with its files. While one of them is being read, it is asked for again. */
export function useReport(review: string, id: string) {
  return useQuery({
    queryKey: ["review", review, "reports", "one", id],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/reports/{report_id}", {
          params: { path: { review_id: review, report_id: id } },
        }),
      ),
    // Events say so, too; but a proxy may hold them back.
    refetchInterval: (query) => (query.state.data?.texts.some((one) => one.state === "queued") ? LOOK_MS : false),
  });
}
