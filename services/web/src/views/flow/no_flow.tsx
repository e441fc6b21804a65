import { codeOf } from "../../api/problem";
import { Empty, Problem } from "../../ui/parts";
import { flowTexts as say } from "./texts";

/** What somebody reads who may not see the flow, or for whom it did not come. */
export function NoFlow({ error, again }: { error: unknown; again: () => void }) {
  if (codeOf(error) !== "forbidden") return <Problem error={error} again={again} />;
  return (
    <Empty title={say.blinded}>
      <p>{say.blindedMore}</p>
    </Empty>
  );
}
