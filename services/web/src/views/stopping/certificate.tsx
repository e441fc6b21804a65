import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data } from "../../api/client";
import { codeOf } from "../../api/problem";
import type { Review } from "../../api/queries";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { CopyButton } from "../../ui/copy_button";
import { Button, Empty, Loading, Problem } from "../../ui/parts";
import { type Block, blocks, spans } from "./markdown";
import { stoppingTexts as say } from "./texts";

/** A certificate as a page to print, and to download. */
export function Certificate({ review, audit }: { review: Review; audit: string }) {
  useTitle(say.certificate);
  const path = { review_id: review.id, audit_id: audit };
  const certificate = useQuery({
    queryKey: ["review", review.id, "stopping", "certificate", audit],
    queryFn: () =>
      data(api.GET("/api/v1/reviews/{review_id}/audits/{audit_id}/certificate", { params: { path } })),
  });
  const found = certificate.data;
  const file = `${prefix}/api/v1/reviews/${review.id}/audits/${audit}/certificate`;
  return (
    <Shell review={review}>
      <p class="no-print">
        <Link href={`/r/${review.id}/stopping`}>{say.back}</Link>
      </p>
      {certificate.isPending && <Loading />}
      {codeOf(certificate.error) === "not_found" ? (
        <Empty title={say.noCertificate} />
      ) : (
        certificate.error && <Problem error={certificate.error} again={() => void certificate.refetch()} />
      )}
      {found && (
        <>
          <article class="card stack certificate">
            {found.withdrawn_at !== null && (
              <p class="notice bad">
                <strong>{say.withdrawn}</strong>
              </p>
            )}
            {blocks(found.text).map((block, at) => (
              <Printed key={at} block={block} review={review.title} />
            ))}
            <h2>{say.methods}</h2>
            <p>{found.methods}</p>
            <div class="no-print">
              <CopyButton text={found.methods} />
            </div>
          </article>
          <div class="actions">
            <Button kind="main" onClick={() => print()}>
              {say.print}
            </Button>
            <a class="button" href={`${file}.md`} download={`certificate-${audit}.md`}>
              {say.markdown}
            </a>
            <a class="button" href={`${file}.json`} download={`certificate-${audit}.json`}>
              {say.json}
            </a>
          </div>
        </>
      )}
    </Shell>
  );
}

function Printed({ block, review }: { block: Block; review: string }) {
  switch (block.kind) {
    case "heading":
      return (
        <header>
          <h1>{block.text}</h1>
          <p class="soft">{review}</p>
        </header>
      );
    case "list":
      return (
        <ul>
          {block.items.map((one) => (
            <li key={one}>
              <Marked text={one} />
            </li>
          ))}
        </ul>
      );
    case "table":
      return (
        <table>
          <tbody>
            {block.rows.map(([name = "", value = ""]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <Marked text={value} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      );
    case "paragraph":
      return (
        <p>
          <Marked text={block.text} />
        </p>
      );
  }
}

function Marked({ text }: { text: string }) {
  return (
    <>
      {spans(text).map(({ kind, text: words }, at) => {
        if (kind === "strong") return <strong key={at}>{words}</strong>;
        return kind === "code" ? <code key={at}>{words}</code> : words;
      })}
    </>
  );
}
