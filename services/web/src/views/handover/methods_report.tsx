import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { prefix } from "../../api/address";
import { api, data } from "../../api/client";
import { Button, Loading, Problem } from "../../ui/parts";
import { adopted } from "./adopted";
import { handoverTexts as say } from "./texts";

const TO_ADD = "The team adds:";

interface Props {
  review: string;
  /** The report is read again when there is something newer. */
  as_of: number;
}

/** The report of the methods: to download, and to read here first. */
export function MethodsReport({ review, as_of }: Props) {
  const [isOpen, open] = useState(false);
  const address = `${prefix}/api/v1/reviews/${review}/methods-report?format=`;
  return (
    <section class="card stack">
      <h2>{say.report}</h2>
      <p class="hint">{say.reportMore}</p>
      <div class="actions">
        {Object.entries(say.reportFormats).map(([format, name]) => (
          <a key={format} class={`button ${format === "docx" ? "main" : ""}`} href={address + format} download>
            {name}
          </a>
        ))}
        <Button aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          {say.preview}
        </Button>
      </div>
      {isOpen && <Preview review={review} as_of={as_of} />}
    </section>
  );
}

function Preview({ review, as_of }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const found = useQuery({
    queryKey: ["review", review, "flow", "methods", as_of],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/methods-report", {
          params: { path: { review_id: review }, query: { format: "html" } },
          parseAs: "text",
        }),
      ),
  });
  const written = found.data === undefined ? undefined : String(found.data);
  useEffect(() => {
    if (written !== undefined) box.current?.replaceChildren(adopted(written));
  }, [written]);
  if (found.isPending) return <Loading />;
  if (found.error) return <Problem error={found.error} again={() => void found.refetch()} />;
  return (
    <>
      <p role="status">
        <strong>{say.toAdd((written ?? "").split(TO_ADD).length - 1)}</strong>
      </p>
      <div class="methods-report" ref={box} tabIndex={0} role="region" aria-label={say.report} />
    </>
  );
}
