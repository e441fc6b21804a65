import { useState } from "preact/hooks";
import { texts } from "../texts/en";

interface Props {
  title: string;
  hint: string;
  add: (files: readonly File[]) => void;
}

/** Where files are dropped, or chosen. */
export function DropFiles({ title, hint, add }: Props) {
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    add([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <label
      class={`drop ${isOver ? "over" : ""}`}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <strong>{title}</strong>
      <span class="hint">{hint}</span>
      <span class="button" aria-hidden="true">
        {texts.chooseFiles}
      </span>
      <input
        type="file"
        class="hidden"
        multiple
        aria-label={title}
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

const SHOWN = 12;

/** The files that were chosen and are not sent yet; each can be left out again. */
export function Chosen({ files, choose }: { files: readonly File[]; choose: (files: File[]) => void }) {
  if (files.length === 0) return null;
  return (
    <ul class="chips" aria-label={texts.chosenFiles}>
      {files.slice(0, SHOWN).map((file, at) => (
        <li class="chip" key={`${file.name}-${at}`}>
          {file.name}
          <button
            type="button"
            aria-label={`${texts.remove}: ${file.name}`}
            onClick={() => choose(files.filter((one) => one !== file))}
          >
            ×
          </button>
        </li>
      ))}
      {files.length > SHOWN && <li class="chip">{texts.andMore(files.length - SHOWN)}</li>}
    </ul>
  );
}
