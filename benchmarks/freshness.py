"""Under a steady load of decisions, how old is the ranking that is served? And after a burst?

    python benchmarks/freshness.py [--rates 3,10,50] [--seconds 15] [--engine sqlite|both|…]

A review of 2,000 records; eight clients decide at the given rates, on a schedule that does not
wait for slow answers. A ranking's age is the time since the oldest decision that it does not
count; what is printed is its largest value, measured where the owner gets the next one. Then
1,000 decisions as fast as they are taken. Exit code 1 where a ranking is older than 5 s and one
training, where decisions come more than a second late, or where the burst takes more than 20
trainings or the last does not count it all.
"""

import argparse
import sys
import time

from rich.console import Console

from installation import ENGINES, Engine, Installation, running
from measures import Line, lags, pair, print_table
from synthetic import Corpus
from team import Accepted, Caller, Members, Person, Refused, gather, upload
from watching import Seen, Watch, newest_ranked, of_type

_RECORDS, _WORDS, _CLIENTS = 2000, 250, 8
_OLDEST_SECONDS, _PATIENCE_SECONDS = 5.0, 30.0
_MOST_BEHIND = 1.0
_BURST, _MOST_TRAININGS = 1000, 20


class Clicker(Person):
    """Decides given records at given times, or one after the other at once."""

    def __init__(
        self, caller: Caller, review_id: str, plan: list[tuple[float, str]], corpus: Corpus
    ):
        super().__init__(caller, review_id)
        self.accepted: list[Accepted] = []
        self.latest = 0.0
        self._plan, self._corpus = plan, corpus

    def work(self) -> None:
        for due, record in self._plan:
            time.sleep(max(0.0, due - time.monotonic()))
            verdict = "include" if record in self._corpus.relevant else "exclude"
            path = f"{self.review}/records/{record}/decision"
            answer = self.caller.call("PUT", path, "decision", json={"verdict": verdict})
            made, at = answer.json()["decision"], time.monotonic()
            self.latest = max(self.latest, at - due)
            who = str(self.caller.account.id)
            self.accepted.append(Accepted(made["id"], record, who, verdict, made["labels_seq"], at))


def fresh(here: Installation, rates: list[int], seconds: float) -> list[Line]:
    corpus = Corpus(_RECORDS, words=_WORDS, seed=1)
    members = gather(here, _CLIENTS, per_record=1, title="Freshness", question=None)
    watch = Watch(here.url, members.owner.account.token, members.review_id)
    upload(members, "corpus.csv", corpus.as_csv(), within=120)
    if not watch.wait_until(lambda events: newest_ranked(events) > 0, within=120):
        raise Refused("there is no first ranking")
    records = iter(str(number) for number in range(1, _RECORDS + 1))
    lines: list[Line] = []
    for rate in rates:
        began, n = time.monotonic() + 0.5, int(rate * seconds)
        plan = [(began + i / rate, next(records)) for i in range(n)]
        lines += _steady(members, watch, corpus, plan, rate)
    plan = [(0.0, record) for _, record in zip(range(_BURST), records, strict=False)]
    if len(plan) < _BURST:
        raise Refused(f"only {len(plan)} records are left for the burst: lower --seconds")
    lines += _burst(members, watch, corpus, plan)
    watch.close()
    return lines


def _decide(
    members: Members, corpus: Corpus, plan: list[tuple[float, str]]
) -> tuple[list[Accepted], float]:
    clickers = [
        Clicker(caller, members.review_id, plan[i::_CLIENTS], corpus)
        for i, caller in enumerate(members.reviewers)
    ]
    for clicker in clickers:
        clicker.start()
    for clicker in clickers:
        clicker.join(300)
        if clicker.error or clicker.is_alive():
            raise clicker.error or Refused(f"{clicker.name} does not come to an end")
    accepted = [made for clicker in clickers for made in clicker.accepted]
    return accepted, max(clicker.latest for clicker in clickers)


def _counted(watch: Watch, accepted: list[Accepted]) -> bool:
    # One reviewer for each record: without conflicts the blinded get the same numbers.
    last = max(made.labels_seq for made in accepted)
    return watch.wait_until(lambda events: newest_ranked(events) >= last, within=_PATIENCE_SECONDS)


def _steady(
    members: Members, watch: Watch, corpus: Corpus, plan: list[tuple[float, str]], rate: int
) -> list[Line]:
    trained = len(of_type(watch.events, "ranking.updated"))
    accepted, behind = _decide(members, corpus, plan)
    done = _counted(watch, accepted)
    trainings = _trainings(members, watch.events, trained)
    waited = lags(accepted, watch.events)
    oldest = max(waited.values()) if done else float("inf")
    longest = max(trainings, default=0.0)
    limit = _OLDEST_SECONDS + longest
    name = f"{rate}/s"
    return [
        Line(f"{name}: oldest ranking", f"{oldest:.2f} s", "≤ 5 s + a training", oldest <= limit),
        Line(f"{name}: until counted, median / p95", pair([*waited.values()], unit="s")),
        Line(f"{name}: trainings / longest", f"{len(trainings)} / {longest:.2f} s"),
        # Else the rate was another one.
        Line(f"{name}: latest behind schedule", f"{behind:.2f} s", "≤ 1 s", behind <= _MOST_BEHIND),
    ]


def _burst(
    members: Members, watch: Watch, corpus: Corpus, plan: list[tuple[float, str]]
) -> list[Line]:
    trained, began = len(of_type(watch.events, "ranking.updated")), time.monotonic()
    accepted, _ = _decide(members, corpus, plan)
    took = max(made.at for made in accepted) - began
    done = _counted(watch, accepted)
    n = len(of_type(watch.events, "ranking.updated")) - trained
    return [
        Line("burst of 1,000 taken in", f"{took:.1f} s"),
        Line("its trainings", f"{n}", f"≤ {_MOST_TRAININGS}", n <= _MOST_TRAININGS),
        Line("the last one counts all", "yes" if done else "no", "yes", done),
    ]


def _trainings(members: Members, events: list[Seen], after: int) -> list[float]:
    """Return the seconds of each training since the given number of rankings."""
    reported = {event.data["ranking_id"] for event in of_type(events, "ranking.updated")[after:]}
    found = members.owner.pages(f"/reviews/{members.review_id}/rankings")
    return [ranking["seconds"] for ranking in found if ranking["id"] in reported]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rates", default="3,10,50", help="decisions a second, each in turn")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each rate")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    asked = parser.parse_args()
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    columns: dict[str, list[Line]] = {}
    for engine in engines:
        Console(stderr=True).print(f"{engine} …")
        with running(engine) as here:
            columns[engine] = fresh(here, [int(n) for n in asked.rates.split(",")], asked.seconds)
            here.keep_folder = any(line.ok is False for line in columns[engine])
    print_table(f"{_RECORDS:,} records, {_CLIENTS} clients", columns)
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
