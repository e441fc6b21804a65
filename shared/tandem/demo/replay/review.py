"""The replay, step by step: from three files to the reports that meet the criteria."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tandem.demo.corpus import Corpus, folded
from tandem.demo.exports import write_exports
from tandem.demo.replay.calls import Caller, NotReplayed, People, invited
from tandem.demo.replay.coding import CONSTRUCTS, coded
from tandem.demo.replay.papers import packed, paper, smudged
from tandem.demo.replay.plan import REASONS, TITLE, Plan

OnProgress = Callable[[str, int, int | None], object]
"""Called with what is done now, how much of it, and of how much (None: nobody knows)."""

_LOOK_SECONDS = 0.25
_AT_ONCE = 200
_TEXT_STAGE, _TITLE_STAGE = "full_text", "title_abstract"
_POLICY = {"reviewers_per_record": 2, "blind": True, "resolution": "adjudicator"}


def open_review(owner: Caller, corpus: Corpus, *, again: bool) -> str:
    """Make the review; return its id.

    Raises:
        NotReplayed: There is a replay already, and `again` is not set.
    """
    known = [one["id"] for one in owner.pages("/reviews") if one["title"] == TITLE]
    if known and not again:
        raise NotReplayed(f"Review {known[0]} is a replay already. --again makes another one.")
    made = owner.ask(
        "POST",
        "/reviews",
        json={
            "title": TITLE,
            "question": corpus.question,
            "criteria": {name: [*lines] for name, lines in corpus.criteria.items()},
            "exclusion_reasons": [*REASONS],
            "policy": {_TITLE_STAGE: _POLICY, _TEXT_STAGE: _POLICY},
        },
    )
    return str(made["id"])


class Replay:
    """Does in one review what a plan says, over the API alone."""

    def __init__(self, owner: Caller, review_id: str, plan: Plan, on_progress: OnProgress) -> None:
        self.review_id, self.plan, self._on_progress = review_id, plan, on_progress
        self._path = f"/reviews/{review_id}"
        self._people = People(
            owner, invited(owner, review_id, "Robin"), invited(owner, review_id, "Sasha")
        )
        self._ids: dict[str, str] = {}

    def close(self) -> None:
        self._people.close()

    @property
    def owner(self) -> Caller:
        return self._people.owner

    def import_records(self, folder: Path) -> None:
        """Send the three files, and find out which record is which."""
        sent = []
        for export in write_exports(self.plan.corpus, folder):
            with export.path.open("rb") as file:
                form = {"files": {"file": (export.path.name, file)}}
                one = self._ask("POST", "/imports", **form, data={"source": export.source})
            sent.append(str(one["id"]))
        n_found = self.plan.expected["database_results"]
        while True:
            states = [self._ask("GET", f"/imports/{one}") for one in sent]
            self._on_progress("Importing records", sum(one["n_read"] for one in states), n_found)
            if failed := [one["error"] for one in states if one["state"] == "failed"]:
                raise NotReplayed(f"A file could not be imported: {failed[0]}")
            if all(one["state"] == "done" for one in states):
                break
            time.sleep(_LOOK_SECONDS)
        shown = self.owner.pages(f"{self._path}/records", limit=500, fields="brief")
        by_title = {folded(one["title"]): one["id"] for one in shown}
        records = self.plan.corpus.records
        self._ids = {
            r.record_id: by_title[folded(r.title)] for r in records if folded(r.title) in by_title
        }
        if len(self._ids) != len(records) or len(by_title) != len(records):
            raise NotReplayed(
                f"{len(by_title)} records are left without duplicates, not {len(records)}."
            )

    def screen(self) -> int:
        """Screen titles and abstracts; return how many conflicts were settled."""
        sought = {*self.plan.sought}
        right: dict[str, dict[str, Any]] = {
            one: {"verdict": "include" if one in sought else "exclude", "reasons": []}
            for one in self._ids
        }
        return self._decide(_TITLE_STAGE, "Screening titles and abstracts", right)

    def get_texts(self) -> list[str]:
        """Send the PDFs and settle what is in doubt; return a sentence for each of those."""
        for number, one in enumerate(self.plan.not_retrieved):
            note = f"SYNTHETIC: neither library nor author has it ({number + 1})"
            body = {"state": "not_retrieved", "note": note}
            self._ask("POST", f"/reports/{self._ids[one]}/retrieval", json=body)
        papers = self._papers()
        zipped = ("files", ("papers.zip", packed({name: pdf for name, (_, pdf) in papers.items()})))
        batch = self._ask("POST", "/texts", files=[zipped])
        while batch["state"] == "reading":
            n_read = batch["n_files"] - batch["n_reading"]
            self._on_progress("Placing full texts", n_read, batch["n_files"])
            time.sleep(_LOOK_SECONDS)
            batch = self._ask("GET", f"/text-batches/{batch['id']}")
        return [*self._settle(batch, {name: one for name, (one, _) in papers.items()})]

    def assess(self) -> int:
        """Assess the full texts; return how many conflicts were settled."""
        right: dict[str, dict[str, Any]] = {
            one: {"verdict": "include", "reasons": []} for one in self.plan.included
        }
        for one in self.plan.ongoing:
            right[one] = {"verdict": "include", "reasons": [], "classification": "ongoing"}
        for one, reason in self.plan.excluded.items():
            right[one] = {"verdict": "exclude", "reasons": [reason]}
        return self._decide(_TEXT_STAGE, "Assessing full texts", right)

    def group_companions(self) -> None:
        """Group two reports as one study, part them, and group them again."""
        first, second = (self._ids[one] for one in self.plan.included[-3:-1])
        body = {
            "label": "SYNTHETIC companion reports",
            "primary": first,
            "reports": [first, second],
        }
        n_alone = len(self.plan.included)
        grouped = self._ask("POST", "/studies", json=body)
        self._require("new_studies", n_alone - 1, "two reports are grouped")
        self._ask("DELETE", f"/studies/{grouped['id']}")
        self._require("new_studies", n_alone, "they are parted")
        self._ask("POST", "/studies", json=body)
        self._require("new_studies", n_alone - 1, "they are grouped again")

    def revoke_and_undo(self) -> None:
        """Withdraw a decision on a title late, and make it again: nothing is lost by it."""
        path = f"/records/{self._ids[self.plan.included[-1]]}/decision"
        n_included = len(self.plan.included)
        second = self._people.second
        second.ask("DELETE", f"{self._path}{path}", params={"stage": _TITLE_STAGE})
        self._require("new_reports", n_included - 1, "a decision is revoked")
        body = {"stage": _TITLE_STAGE, "verdict": "include"}
        second.ask("PUT", f"{self._path}{path}", json=body)
        self._require("new_reports", n_included, "it is made again")

    def synthesise(self) -> dict[str, Any]:
        """Take the project out, code it, bring it back, and return what the constructs rest on."""
        project = self.owner.raw("GET", f"{self._path}/handover", params={"format": "qdpx"})
        sent = {"file": ("coded.qdpx", coded(project.content))}
        back = self._ask("POST", "/synthesis/imports", files=sent)
        if back["n_moved"] or back["n_lost"] or not back["n_kept"]:
            raise NotReplayed(
                f"Of the coded passages {back['n_kept']} are kept, {back['n_moved']} moved and "
                f"{back['n_lost']} lost."
            )
        for code in self.owner.pages(f"{self._path}/synthesis/codes"):
            if code["name"] in CONSTRUCTS:
                self._ask("PATCH", f"/synthesis/codes/{code['id']}", json={"kind": "construct"})
        matrix: dict[str, Any] = self._ask("GET", "/synthesis/matrix")
        return matrix

    def flow(self) -> dict[str, Any]:
        flow: dict[str, Any] = self._ask("GET", "/prisma")
        return flow

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        return self.owner.ask(method, self._path + path, **body)

    def _require(self, key: str, due: int, when: str) -> None:
        flow = self.flow()
        broken = [one["name"] for one in flow["invariants"] if not one["holds"]]
        if (n := flow["boxes"][key]["n"]) != due or broken:
            raise NotReplayed(f"When {when}, {key} is {n}, not {due}. Broken: {broken or 'none'}.")

    def _decide(self, stage: str, doing: str, right: Mapping[str, Mapping[str, Any]]) -> int:
        """Let both decide all of it, in batches, and the owner settle where they differ."""
        plan = self.plan
        pairs = ((self._people.first, plan.first), (self._people.second, plan.second))
        done, total = 0, 2 * len(right)
        for person, errs in pairs:
            items = [
                {"record_id": self._ids[one], "stage": stage}
                | (_wrong(decision) if (stage, one) in errs else dict(decision))
                for one, decision in right.items()
            ]
            for some in _parts(items):
                answer = person.ask("POST", f"{self._path}/decisions", json={"items": some})
                _all_taken(answer["items"])
                done += len(some)
                self._on_progress(doing, done, total)
        known = {self._ids[one]: decision for one, decision in right.items()}
        opened = [*self.owner.pages(f"{self._path}/conflicts", stage=stage, state="open")]
        for n, conflict in enumerate(opened, start=1):
            decision = known[conflict["record"]["id"]]
            self._ask("POST", f"/conflicts/{conflict['id']}/resolution", json=dict(decision))
            self._on_progress("Settling conflicts", n, len(opened))
        return len(opened)

    def _papers(self) -> dict[str, tuple[str, bytes]]:
        """Return the files by name, each with its record."""
        records = {r.record_id: r for r in self.plan.corpus.records}
        garbled, mistaken = self.plan.doubtful
        # The DOI of another report: what page 1 of a wrongly bound reprint shows.
        foreign = next(
            records[one].doi
            for one in self.plan.assessed
            if one not in self.plan.doubtful and records[one].doi
        )
        made = {}
        for n, one in enumerate(self.plan.assessed, start=1):
            record = records[one]
            title = smudged(record.title) if one == garbled else None
            doi = foreign if one == mistaken else None
            content = paper(record, title=title, doi=doi, with_doi=one != garbled)
            made[f"paper-{n:03d}.pdf"] = (one, content)
        return made

    def _settle(self, batch: Mapping[str, Any], owners: Mapping[str, str]) -> Iterable[str]:
        for item in batch["items"]:
            due = self._ids[owners[item["filename"].rpartition("/")[2]]]
            if item["state"] in ("proposed", "unmatched"):
                path = f"/text-batches/{batch['id']}/items/{item['position']}"
                self._ask("POST", path, json={"record_id": due})
                asked = ", ".join(
                    f"{c['record_id']} by {c['evidence']}" for c in item["candidates"]
                )
                yield f"{item['filename']}: {asked or 'no sign'}; settled by hand as {due}"
            elif item["state"] != "matched" or item["record_id"] != due:
                raise NotReplayed(
                    f"{item['filename']} is {item['state']} as {item['record_id']}, not {due}."
                )


def _wrong(decision: Mapping[str, Any]) -> dict[str, Any]:
    if decision["verdict"] == "include":
        return {"verdict": "exclude", "reasons": [REASONS[0]]}
    return {"verdict": "include", "reasons": []}


def _parts(items: Sequence[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    for start in range(0, len(items), _AT_ONCE):
        yield [*items[start : start + _AT_ONCE]]


def _all_taken(answers: Iterable[Mapping[str, Any]]) -> None:
    for one in answers:
        if one["error"] is not None:
            raise NotReplayed(f"Record {one['record_id']}: {one['error']['detail']}")
