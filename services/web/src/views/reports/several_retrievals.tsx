import { useState } from "preact/hooks";
import { api, data } from "../../api/client";
import type { Told } from "../../api/each";
import { outdated, type Review } from "../../api/queries";
import { Button, Dialog } from "../../ui/parts";
import { EachMeter, Outcome, type Ticked, TickedBar, useEach } from "../../ui/several";
import type { Schemas } from "../../api/client";
import { RETRIEVAL, RetrievalForm } from "./retrieval";
import { reportTexts as say } from "./texts";

/** Says of the ticked reports how far their retrieval is. */
export function SeveralRetrievals({ review, ticked, all }: { review: Review; ticked: Ticked; all: () => Promise<string[]> }) {
  const [isAsking, ask] = useState(false);
  const [told, tell] = useState<Told | null>(null);
  const each = useEach();
  const save = async (body: Schemas["RetrievalIn"]) => {
    ask(false);
    tell(null);
    const found = await each.run([...ticked.ids], (report_id) =>
      data(api.POST(RETRIEVAL, { params: { path: { review_id: review.id, report_id } }, body })),
    );
    tell(found);
    ticked.set(found.left);
    outdated(review.id);
  };
  return (
    <>
      {ticked.isOn && (
        <TickedBar ticked={ticked} n={null} all={all} isBusy={each.at !== null}>
          <Button kind="main" disabled={ticked.ids.size === 0 || each.at !== null} onClick={() => ask(true)}>
            {say.retrieval}
          </Button>
        </TickedBar>
      )}
      <EachMeter each={each} />
      {told && <Outcome told={told} done={say.savedN(told.done.length)} />}
      {isAsking && (
        <Dialog title={say.retrievalOf(ticked.ids.size)} close={() => ask(false)}>
          <RetrievalForm now={null} isMain save={{ mutate: (body) => void save(body), isPending: false, isSuccess: false, error: null }} />
        </Dialog>
      )}
    </>
  );
}
