import { useState } from "preact/hooks";
import { texts } from "../texts/en";
import { Button } from "./parts";

export function CopyButton({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  // The clipboard is there on https and on this machine only; elsewhere people select the text.
  if (!("clipboard" in navigator)) return null;
  return (
    <Button onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}>
      <span role="status">{done ? texts.copied : texts.copy}</span>
    </Button>
  );
}
