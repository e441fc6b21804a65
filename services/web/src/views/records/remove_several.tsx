import { useState } from "preact/hooks";
import { api, data } from "../../api/client";
import type { Told } from "../../api/each";
import { outdated, type Review } from "../../api/queries";
import { Button, Dialog } from "../../ui/parts";
import { EachMeter, Outcome, type Ticked, TickedBar, useEach } from "../../ui/several";
import { REMOVAL, type Removing, RemovalForm } from "./removal";
import { recordTexts } from "./texts";

const say = recordTexts.removal;

interface Props {
  review: Review;
  ticked: Ticked;
  n: number | null;
  all: () => Promise<string[]>;
}

/** Removes the ticked records before screening, and brings them back. */
export function RemoveSeveral({ review, ticked, n, all }: Props) {
  const [isAsking, ask] = useState(false);
  const [removed, setRemoved] = useState<Told | null>(null);
  const [restored, setRestored] = useState<Told | null>(null);
  const each = useEach();
  const at = (record_id: string) => ({ params: { path: { review_id: review.id, record_id } } });
  const remove = async (body: Removing) => {
    ask(false);
    setRemoved(null);
    setRestored(null);
    const told = await each.run([...ticked.ids], (id) => data(api.PUT(REMOVAL, { ...at(id), body })));
    setRemoved(told);
    ticked.set(told.left);
    outdated(review.id);
  };
  const restore = async (ids: string[]) => {
    const told = await each.run(ids, (id) => data(api.DELETE(REMOVAL, at(id))));
    setRestored(told);
    setRemoved(told.left.length > 0 ? { done: told.left, refused: [], left: [], stopped: null } : null);
    outdated(review.id);
  };
  return (
    <>
      {ticked.isOn && (
        <TickedBar ticked={ticked} n={n} all={all} isBusy={each.at !== null}>
          <Button kind="danger" disabled={ticked.ids.size === 0 || each.at !== null} onClick={() => ask(true)}>
            {say.several}
          </Button>
        </TickedBar>
      )}
      <EachMeter each={each} />
      {restored && <Outcome told={restored} done={say.restoredN(restored.done.length)} />}
      {removed && (
        <Outcome told={removed} done={say.doneN(removed.done.length)}>
          {removed.done.length > 0 && (
            <Button disabled={each.at !== null} onClick={() => void restore(removed.done)}>
              {say.restore}
            </Button>
          )}
        </Outcome>
      )}
      {isAsking && (
        <Dialog title={say.titleN(ticked.ids.size)} close={() => ask(false)}>
          <p>{ticked.ids.size === 1 ? say.more : say.moreN}</p>
          <RemovalForm does={say.doesN(ticked.ids.size)} isBusy={false} error={null} submit={(body) => void remove(body)} />
        </Dialog>
      )}
    </>
  );
}
