import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, data, type Schemas } from "../../api/client";
import { outdated, type Review } from "../../api/queries";
import { ago } from "../../texts/format";
import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { Confirm } from "../../ui/confirm";
import { FileField } from "../../ui/file_field";
import { Button, Field, Problem } from "../../ui/parts";
import type { Report } from "./report";
import type { TextFile } from "./reader";
import { isThere, send } from "../../api/sending";
import { reportTexts as say } from "./texts";

type Kind = Schemas["TextKind"];

/** The files of one report: what they are, the way to add one, the way to remove one. */
export function OwnFiles({ review, report }: { review: Review; report: Report }) {
  const [kind, setKind] = useState<Kind>("main");
  const [percent, setPercent] = useState(0);
  const [removing, remove] = useState<TextFile | null>(null);
  const add = useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append("kind", kind);
      form.append("file", file);
      setPercent(0);
      return send<TextFile>(`reviews/${review.id}/reports/${report.id}/texts`, form, setPercent, "POST", ({ id }) => {
        const path = { review_id: review.id, text_id: id };
        return isThere(data(api.GET("/api/v1/reviews/{review_id}/texts/{text_id}", { params: { path } })));
      });
    },
    onSuccess: () => outdated(review.id, "reports"),
  });
  return (
    <section class="card stack">
      <h2>{say.files}</h2>
      {report.texts.length === 0 && <p class="soft">{say.noFiles}</p>}
      {report.texts.length > 0 && (
        <ul class="plainlist rows">
          {report.texts.map((one) => (
            <One key={one.id} one={one} review={review} remove={() => remove(one)} />
          ))}
        </ul>
      )}
      <div class="inline-form">
        <Field label={say.kind}>
          {(ids) => (
            <select {...ids} value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
              {Object.entries(say.kinds).map(([one, name]) => (
                <option key={one} value={one}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <FileField
          label={say.upload}
          accept=".pdf,.docx,.txt"
          disabled={add.isPending}
          add={(file) => add.mutate(file)}
        />
      </div>
      <p class="small" role="status">
        {add.isPending && say.sending(percent)}
      </p>
      {add.error && <Problem error={add.error} />}
      {removing && <Remove review={review} file={removing} close={() => remove(null)} />}
    </section>
  );
}

function One({ one, review, remove }: { one: TextFile; review: Review; remove: () => void }) {
  const { me } = usePerson();
  const mayRemove = review.role === "owner" || one.added_by === me.id;
  const facts = [say.kinds[one.kind], one.pages !== null && say.pages(one.pages), say.wrong(one)];
  return (
    <li class="row">
      <span>
        <strong>{one.filename}</strong>
        <br />
        <span class="soft small">
          {facts.filter(Boolean).join(" · ")} · {say.addedBy(one.added_by_name, ago(one.added_at))}
        </span>
      </span>
      {mayRemove && (
        <Button kind="quiet" aria-label={`${texts.remove}: ${one.filename}`} onClick={remove}>
          {texts.remove}
        </Button>
      )}
    </li>
  );
}

function Remove({ review, file, close }: { review: Review; file: TextFile; close: () => void }) {
  const work = useMutation({
    mutationFn: () =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/texts/{text_id}", {
          params: { path: { review_id: review.id, text_id: file.id } },
        }),
      ),
    onSuccess: () => {
      outdated(review.id, "reports");
      close();
    },
  });
  return (
    <Confirm
      title={say.removeTitle(file.filename)}
      effects={say.removeEffects}
      does={texts.remove}
      isDanger
      work={{ ...work, mutate: () => work.mutate() }}
      close={close}
    />
  );
}
