import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { prefix } from "../../api/address";
import { api, data, type Schemas } from "../../api/client";
import type { Review } from "../../api/queries";
import { searches, useWaves } from "../../api/waves";
import { number } from "../../texts/format";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Field, Loading } from "../../ui/parts";
import type { ViewProps } from "../review";
import { hasFound, query } from "./asked";
import { Behind } from "./behind";
import { Diagram } from "./diagram";
import { NoFlow } from "./no_flow";
import { Sources } from "./sources";
import { flowTexts as say } from "./texts";
import "./flow.css";

type Prisma = Schemas["PrismaOut"];

/** The flow diagram of a review, or what is behind one of its numbers. */
export function Flow({ review, rest }: ViewProps) {
  return rest === "" ? <Whole review={review} /> : <Behind key={rest} review={review} box={decodeURIComponent(rest)} />;
}

export function useFlow(review: string, wave: number | null = null) {
  return useQuery({
    queryKey: ["review", review, "flow", wave],
    queryFn: () =>
      data(
        api.GET("/api/v1/reviews/{review_id}/prisma", {
          params: { path: { review_id: review }, query: wave === null ? {} : { wave } },
        }),
      ),
  });
}

function Whole({ review }: { review: Review }) {
  useTitle(say.title);
  const [wave, setWave] = useState<number | null>(null);
  const found = useFlow(review.id, wave);
  const flow = found.data;
  return (
    <Shell review={review} wide>
      <h1>{say.title}</h1>
      {found.isPending && <Loading />}
      {found.error && <NoFlow error={found.error} again={() => void found.refetch()} />}
      {flow && (
        <>
          <p class="soft">{say.lead}</p>
          <State review={review} flow={flow} />
          <Waves review={review} wave={wave} choose={setWave} />
          <Diagram review={review.id} wave={wave} as_of={flow.as_of} />
          <Downloads review={review.id} wave={wave} />
          <Numbers review={review.id} flow={flow} />
          <Equations flow={flow} />
          <Sources review={review} />
        </>
      )}
    </Shell>
  );
}

/** The list that a person works on, for what is left to do; else the list behind the number. */
const WAY_ON: Record<string, string> = {
  being_sought: "reports?standing=being_sought",
  to_assess: "reports?standing=to_assess",
};

/** What is left to do before the flow is final, each with the way to it. */
export function State({ review, flow }: { review: Review; flow: Prisma }) {
  const left = Object.entries(flow.remainder).filter(([key, n]) => n > 0 && key !== "other_already_found");
  return (
    <>
      {!hasFound(flow.boxes) ? (
        <p class="notice">{say.nothingFound}</p>
      ) : left.length === 0 && flow.state === "finished" ? (
        <p class="notice good">{say.finished}</p>
      ) : (
        <div class="notice warn">
          <p>
            <strong>{say.unfinished}</strong>
          </p>
          <ul class="effects">
            {left.map(([key, n]) => (
              <li key={key}>
                <Link href={`/r/${review.id}/${WAY_ON[key] ?? `flow/${key}`}`}>{say.remainder[key]?.(n) ?? `${key}: ${n}`}</Link>
              </li>
            ))}
          </ul>
        </div>
      )}
      {flow.warnings.map((one) => (
        <p class="notice warn" key={one.message}>
          {one.message}
        </p>
      ))}
    </>
  );
}

function Waves({ review, wave, choose }: { review: Review; wave: number | null; choose: (wave: number | null) => void }) {
  const all = searches(useWaves(review.id), say.firstSearch);
  if (all.length === 0) return null;
  return (
    <Field label={say.wave}>
      {(ids) => (
        <select {...ids} value={wave ?? ""} onChange={(event) => choose(Number(event.currentTarget.value) || null)}>
          <option value="">{say.allWaves}</option>
          {all.map(([wave, label]) => (
            <option key={wave} value={wave}>
              {say.waveNamed(wave, label)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Downloads({ review, wave }: { review: string; wave: number | null }) {
  const query = wave === null ? "" : `?wave=${wave}`;
  return (
    <div class="actions no-print">
      {(Object.entries(say.formats) as [keyof typeof say.formats, string][]).map(([format, name]) => (
        <a key={format} class="button" href={`${prefix}/api/v1/reviews/${review}/prisma.${format}${query}`} download={`flow.${format}`}>
          {name}
        </a>
      ))}
    </div>
  );
}

/** Where the diagram does not fit, so that its numbers are read in the table. */
const NARROW = matchMedia("(max-width: 40rem)");

/** All numbers as a table, for who does not see the picture and who looks for one of them. */
function Numbers({ review, flow }: { review: string; flow: Prisma }) {
  const at = (key: string, part?: string) =>
    `/r/${review}/flow/${encodeURIComponent(key)}${flow.wave || part ? `?${query(flow.wave, part)}` : ""}`;
  return (
    <details open={NARROW.matches}>
      <summary>{say.numbers}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.box}</th>
            <th scope="col" class="num">
              {say.n}
            </th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(flow.boxes).flatMap(([key, box]) => [
            <tr key={key}>
              <th scope="row">{box.label}</th>
              <td class="num">
                <Link href={at(key)}>{number(box.n)}</Link>
              </td>
            </tr>,
            ...box.parts.map((part) => (
              <tr key={`${key} ${part.label}`} class="small">
                <th scope="row" class="part">
                  – {part.label}
                </th>
                <td class="num">{part.href === null ? number(part.n) : <Link href={at(key, part.label)}>{number(part.n)}</Link>}</td>
              </tr>
            )),
          ])}
        </tbody>
      </table>
    </details>
  );
}

function Equations({ flow }: { flow: Prisma }) {
  const holding = flow.invariants.filter((one) => one.holds).length;
  return (
    <details>
      <summary>{say.equations(holding, flow.invariants.length)}</summary>
      <ul class="effects small">
        {flow.invariants.map((one) => (
          <li key={one.name} class={one.holds ? "" : "wrong"}>
            {one.name}: {number(one.left)} = {number(one.right)} ({say.holds[`${one.holds}`]})
          </li>
        ))}
      </ul>
    </details>
  );
}
