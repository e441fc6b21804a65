import { useEffect, useState } from "preact/hooks";
import { texts } from "../../texts/en";
import { useOutbox, usePerson } from "../../ui/context";
import { Icon } from "../../ui/icons";
import { Button, Dialog } from "../../ui/parts";
import type { Entry, NotSent } from "../../outbox/entries";
import { api, data } from "../../api/client";

/** Whether everything has reached the server. */
export function SaveState() {
  const outbox = useOutbox();
  const { state } = outbox;
  const say = texts.screen.states;
  const offline = outbox.isStored ? say.offline : say.offlineHere;
  const words = state === "offline" ? offline(outbox.entries.length) : say[state];
  return (
    <span class={`save-state ${state}`} role={state === "offline" ? "status" : undefined}>
      {state === "saved" && <Icon name="saved" />}
      {words}
    </span>
  );
}

/** What the server did not take: a person decides what becomes of it. */
export function NotSentNotice({ review }: { review: string }) {
  const outbox = useOutbox();
  const [isOpen, open] = useState(false);
  const mine = outbox.notSent.filter((one) => one.entry.review === review);
  useEffect(() => open((is) => is && mine.length > 0), [mine.length]);
  if (mine.length === 0) return null;
  return (
    <>
      <div class="notice bad" role="alert">
        <p>{texts.screen.notSent(mine.length)}</p>
        <Button onClick={() => open(true)}>{texts.screen.notSentShow}</Button>
      </div>
      {isOpen && (
        <Dialog title={texts.screen.notSentTitle} close={() => open(false)}>
          <p>{texts.screen.notSentMore}</p>
          <ul class="plainlist stack">
            {mine.map((one) => (
              <Failed key={one.entry.key} one={one} />
            ))}
          </ul>
        </Dialog>
      )}
    </>
  );
}

/** The decision that stands on the server now. */
async function newest(entry: Entry): Promise<string | null> {
  const { review: review_id, record: record_id } = entry;
  const found =
    entry.stage === "full_text"
      ? api.GET("/api/v1/reviews/{review_id}/reports/{report_id}", { params: { path: { review_id, report_id: record_id } } })
      : api.GET("/api/v1/reviews/{review_id}/records/{record_id}", { params: { path: { review_id, record_id } } });
  return (await data<{ my_decision: { id: string } | null }>(found)).my_decision?.id ?? null;
}

function Failed({ one }: { one: NotSent }) {
  const { outbox } = usePerson();
  const [isBusy, setBusy] = useState(false);
  const { entry } = one;
  const again = async () => {
    setBusy(true);
    try {
      await outbox.again(entry.key, await newest(entry));
    } finally {
      setBusy(false);
    }
  };
  const verdict = entry.judgement === null ? texts.screen.undo : texts.verdicts[entry.judgement.verdict];
  return (
    <li class="card stack">
      <p>
        <strong>{verdict}</strong>: {entry.title}
      </p>
      {entry.judgement?.note && <p class="soft">{entry.judgement.note}</p>}
      <p class="wrong">{one.detail}</p>
      <div class="actions">
        <Button kind="main" disabled={isBusy} onClick={() => void again()}>
          {texts.screen.mineYet}
        </Button>
        <Button onClick={() => void outbox.forget(entry.key)}>{texts.screen.forget}</Button>
      </div>
    </li>
  );
}
