import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { Button, Field } from "../../ui/parts";
import { TARGETS } from "./begin";
import { Confirm } from "../../ui/confirm";
import type { Audit } from "./queries";
import { stoppingTexts as say } from "./texts";

type Asked = "open" | "pause" | "target" | "reframe" | "end";

interface Props {
  review: Review;
  audit: Audit;
}

/** What an owner may do with an audit; each first names what it does. */
export function AuditActions({ review, audit }: Props) {
  const [asked, ask] = useState<Asked | null>(null);
  const outside = audit.outside_frame;
  const isOver = audit.state === "abandoned" || audit.seed_revealed !== null;
  const isProven = audit.state === "certified";
  if (isOver) return null;
  const canDraw = !isProven && audit.state !== "exhausted";
  return (
    <div class="actions">
      {canDraw && audit.serving === "mixed" && (
        <Button kind="main" onClick={() => ask("open")}>
          {say.open}
        </Button>
      )}
      {audit.serving === "draws_only" && <Button onClick={() => ask("pause")}>{say.pause}</Button>}
      <Button onClick={() => ask("target")}>{say.change}</Button>
      {outside.settled + outside.unsettled > 0 && <Button onClick={() => ask("reframe")}>{say.reframe}</Button>}
      <Button kind="danger" onClick={() => ask("end")}>
        {say.end}
      </Button>
      {asked !== null && <Asking asked={asked} review={review} audit={audit} close={() => ask(null)} />}
    </div>
  );
}

function Asking({ asked, review, audit, close }: Props & { asked: Asked; close: () => void }) {
  const [target, setTarget] = useState(audit.target_recall);
  const path = { review_id: review.id, audit_id: audit.id };
  const change = (body: Schemas["AuditChangeIn"]) =>
    data(api.PATCH("/api/v1/reviews/{review_id}/audits/{audit_id}", { params: { path }, body }));
  const acts: Record<Asked, () => Promise<unknown>> = {
    open: () => change({ serving: "draws_only" }),
    pause: () => change({ serving: "mixed" }),
    target: () => change({ target_recall: target }),
    end: () => change({ state: "abandoned" }),
    reframe: () => data(api.POST("/api/v1/reviews/{review_id}/audits/{audit_id}/reframe", { params: { path } })),
  };
  const work = useMutation({
    mutationFn: () => acts[asked](),
    onSuccess: () => {
      outdated(review.id, "stopping");
      close();
    },
  });
  const says = {
    open: { title: say.openTitle, effects: say.openEffects(audit.draws_to_go_if_none), does: say.openNow },
    pause: { title: say.pauseTitle, effects: say.pauseEffects, does: say.pauseNow },
    target: { title: say.changeTitle, effects: say.changeEffects, does: say.changeNow },
    reframe: { title: say.reframeTitle, effects: say.reframeEffects, does: say.reframeNow },
    end: { title: say.endTitle, effects: say.endEffects(audit.state === "certified"), does: say.endNow },
  }[asked];
  const options = [...new Set([...TARGETS, audit.target_recall])].toSorted();
  return (
    <Confirm {...says} isDanger={asked === "end"} work={work} close={close}>
      {asked === "target" && (
        <Field label={say.target}>
          {(ids) => (
            <select {...ids} value={target} onChange={(event) => setTarget(Number(event.currentTarget.value))}>
              {options.map((one) => (
                <option key={one} value={one}>
                  {say.targetOption(one)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </Confirm>
  );
}
