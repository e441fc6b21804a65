import { useQuery } from "@tanstack/preact-query";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { api, data } from "../../api/client";
import type { pattern } from "../../highlight/highlight";
import { Loading, Problem } from "../../ui/parts";
import { Marked } from "../screen/article";
import type { Passage, TextFile } from "./reader";
import { cut } from "./cut";
import { reportTexts as say } from "./texts";

interface Props {
  review: string;
  file: TextFile;
  passages: readonly Passage[];
  at: Passage | undefined;
  marks: ReturnType<typeof pattern>;
}

/** The text of a file, with what was found in it. */
export function Plain({ review, file, passages, at, marks }: Props) {
  const plain = useQuery({
    queryKey: ["review", review, "texts", file.id, "plain"],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/texts/{text_id}/plain", {
          params: { path: { review_id: review, text_id: file.id } },
          parseAs: "text",
        }),
      ),
    enabled: file.state === "ready",
    staleTime: Infinity,
  });
  const pieces = useMemo(() => cut(String(plain.data ?? ""), passages), [plain.data, passages]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector(".found-here")?.scrollIntoView({ block: "center" }), [at, pieces]);
  if (file.state !== "ready") return <p class="notice">{say.states[file.state]}</p>;
  if (plain.error) return <Problem error={plain.error} again={() => void plain.refetch()} />;
  if (plain.isPending) return <Loading />;
  return (
    <div class="text-plain" ref={box} tabIndex={0} role="region" aria-label={say.plain}>
      {pieces.map((piece) =>
        piece.passage === null ? (
          <Marked key={piece.start} text={piece.text} marks={marks} />
        ) : (
          <mark key={piece.start} class={`found ${piece.passage === at ? "found-here" : ""}`}>
            {piece.text}
          </mark>
        ),
      )}
    </div>
  );
}
