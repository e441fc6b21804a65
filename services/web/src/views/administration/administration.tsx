import { texts } from "../../texts/en";
import { usePerson } from "../../ui/context";
import { useTitle } from "../../ui/hooks";
import { Shell } from "../../ui/layout";
import { Empty } from "../../ui/parts";
import { Jobs } from "./jobs";
import { administrationTexts as say } from "./texts";
import { Users } from "./users";

/** Accounts and background work, for those who run the installation. */
export function Administration() {
  useTitle(say.title);
  const { me } = usePerson();
  return (
    <Shell>
      <h1>{say.title}</h1>
      {me.is_admin ? (
        <>
          <Users />
          <Jobs />
        </>
      ) : (
        <Empty title={texts.problem.noRight} />
      )}
    </Shell>
  );
}
