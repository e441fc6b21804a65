import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { Route, Switch } from "wouter-preact";
import { prefix } from "./api/address";
import { actAs } from "./api/client";
import { codeOf, Unreachable } from "./api/problem";
import { fetchMe, type Me, onSignedOut, prefetchReview, queries } from "./api/queries";
import { PersonContext, useOutbox } from "./ui/context";
import { Shell } from "./ui/layout";
import { lazy } from "./ui/lazy";
import { Empty, Loading, Problem } from "./ui/parts";
import { usePersonOf } from "./ui/person";
import { lastPerson } from "./ui/last_person";
import { texts } from "./texts/en";
import { Reviews } from "./views/reviews/reviews";
import { SignIn, SignInAgain } from "./views/sign_in/sign_in";

const Account = lazy(async () => (await import("./views/account/account")).Account);
const Administration = lazy(async () => (await import("./views/administration/administration")).Administration);
const NewReview = lazy(async () => (await import("./views/reviews/new_review")).NewReview);
const inReview = async () => (await import("./views/review")).InReview;
const InReview = lazy(inReview);

/** Fetches the review of the address beside who is signed in, not after: on a phone each is a second. */
export function fetchAhead(): void {
  const [, id] = /^\/r\/([^/]+)/.exec(location.pathname.slice(prefix.length)) ?? [];
  if (id === undefined) return;
  void prefetchReview(id);
  inReview().catch(() => undefined); // The view tries again, and says what is wrong.
}

/** The page: the sign-in for strangers, the views for everybody else. */
export function App() {
  const me = useQuery({ queryKey: ["me"], queryFn: fetchMe, staleTime: 300_000 });
  const kept = me.error instanceof Unreachable ? lastPerson() : null;
  const person = me.data ?? kept;
  const before = useRef<string | null>(null);
  if (person !== null && person !== undefined) {
    // What the one before was shown is not for the one who signed in after them.
    if (before.current !== null && before.current !== person.id) {
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
    }
    before.current = person.id;
    return <SignedIn key={person.id} me={person} />;
  }
  if (me.isPending) {
    return (
      <Shell>
        <Loading />
      </Shell>
    );
  }
  if (codeOf(me.error) === "unauthenticated") {
    actAs(null);
    return <SignIn />;
  }
  return (
    <Shell>
      <Problem error={me.error} again={() => void me.refetch()} />
    </Shell>
  );
}

function SignedIn({ me }: { me: Me }) {
  actAs(me.id);
  const person = usePersonOf(me);
  if (person === null) return <Loading />;
  return (
    <PersonContext.Provider value={person}>
      <Switch>
        <Route path="/" component={Reviews} />
        <Route path="/new">
          <NewReview />
        </Route>
        <Route path="/me">
          <Account />
        </Route>
        <Route path="/administration">
          <Administration />
        </Route>
        <Route path="/r/:id/*?">{({ id }) => <InReview key={id} id={id ?? ""} />}</Route>
        <Route>
          <Shell>
            <Empty title={texts.problem.notFound}>
              <p>{texts.problem.notFoundMore}</p>
            </Empty>
          </Shell>
        </Route>
      </Switch>
      <SignedOut me={me} />
    </PersonContext.Provider>
  );
}

/** The sign-in once more, when the session has ended under somebody's work. */
function SignedOut({ me }: { me: Me }) {
  const outbox = useOutbox();
  const [why, setWhy] = useState<string | null>(null);
  useEffect(() => onSignedOut(setWhy), []);
  if (why === null && outbox.state !== "signed_out") return null;
  const back = () => {
    setWhy(null);
    void outbox.flush();
    void queries.invalidateQueries();
  };
  return <SignInAgain me={me} why={why} done={back} />;
}
