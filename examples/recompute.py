"""Recomputes the numbers of a review's RO-Crate from its audit trail. Standard library only.

    python recompute.py review.crate.zip

It shares no code with Tandem. From the log in `trail.jsonl` it derives who decided what, where each
record is, and from that the boxes of the PRISMA flow (`flow.json`) and the numbers of the report of
the methods (`methods.md`). It also checks the SHA-256 of every file, and the chain of hashes that
makes the log an audit trail. It prints each number beside its own, and ends with 1 if one differs.

Not recomputed: intervals, Krippendorff's alpha, and the evidence of certificates.
"""

import csv
import hashlib
import io
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any
from zipfile import ZipFile

TA, FT = "title_abstract", "full_text"
SOURCES = {
    "database": "database_results",
    "register": "register_results",
    "website": "website_results",
    "organisation": "organisation_results",
    "citation": "citations_results",
    "other": "other_method_results",
}
BEST = ["not_retrieved", "sought", "requested", "awaiting_translation", "retrieved"]
Json = dict[str, Any]
At = tuple[Any, Any]
"""A stage and a record."""

Came = tuple[int, Json]
"""A record as an import brought it, with what the log tells of the import."""

Part = tuple[str, str | None]
Boxes = defaultdict[str | Part, set[int | str]]

HEADINGS = {"Titles and abstracts": TA, "Full texts": FT}


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class Review:
    """A review as its log tells it, event by event."""

    def __init__(self) -> None:
        # By stage and record; of a stage and record by reviewer.
        self.status: dict[At, str] = {}
        self.votes = defaultdict[At, dict[str, Json]](dict)
        self.first = defaultdict[At, dict[str, str]](dict)
        self.resolved: dict[At, Json] = {}
        self.linked: dict[str, str] = {}
        self.removed: dict[str, str] = {}
        self.imports: dict[str, Json] = {}
        self.gone: set[int] = set()
        self.retrieval: dict[int, str] = {}
        self.studies: dict[str, Json] = {}
        self.audits: dict[str, list[Any]] = {}
        self.conflicts: dict[str, Json] = {}
        self.reasons: list[str] = []
        self.n_rankings = self.last = 0

    def take(self, event: Json) -> None:
        kind, data, detail = event["type"][7:], event["data"], event.get("detail") or {}
        self.last = max(self.last, detail.get("records", 0))
        at = (data.get("stage"), data.get("record_id"))
        if kind in ("review.created", "review.changed"):
            logged = detail if kind == "review.created" else detail.get("to") or {}
            self.reasons = logged.get("exclusion_reasons", self.reasons)
        elif kind in ("decision.recorded", "decision.withdrawn"):
            self.decide(kind, at, data, detail)
        elif kind in ("record.included", "record.excluded"):
            self.status[at] = kind[7:]
        elif kind == "record.reopened":
            self.status.pop(at, None)
            if "to" in detail and detail["to"] is None:
                self.resolved.pop(at, None)
        elif kind.startswith("conflict.") or kind == "resolution.changed":
            self.differ(kind, at, data, detail)
        elif kind == "duplicates.merged":
            self.linked[data["duplicate_id"]] = data["record_id"]
            self.linked.pop(data["record_id"], None)
            self.last = max(self.last, int(data["duplicate_id"]))
        elif kind == "duplicates.split":
            self.linked.pop(data["duplicate_id"], None)
        else:
            self.other(kind, data, detail)

    def other(self, kind: str, data: Json, detail: Json) -> None:
        if kind in ("import.finished", "import.failed", "import.changed") and "numbers" in detail:
            self.imports[data["import_id"]] = detail
        if kind == "import.taken_back":
            self.imports.pop(data["import_id"], None)
            for low, high in detail.get("numbers", ()):
                self.gone.update(range(low, high + 1))
        elif kind == "record.removed":
            self.removed[data["record_id"]] = data["kind"]
        elif kind == "record.restored":
            del self.removed[data["record_id"]]
        elif kind == "report.retrieval_changed":
            for number in detail.get("numbers", [int(data["record_id"])]):
                self.retrieval[number] = data["state"]
        elif kind == "study.grouped":
            study = self.studies.setdefault(data["study_id"], {"sampled": None})
            study["numbers"] = set(map(int, data["record_ids"]))
        elif kind == "study.split":
            left = self.studies[data["study_id"]]["numbers"] - set(map(int, data["record_ids"]))
            self.studies[data["study_id"]]["numbers"] = left
            if not left:
                del self.studies[data["study_id"]]
        elif kind == "study.sampled":
            self.studies[data["study_id"]]["sampled"] = data["sampled"]
        elif kind == "ranking.updated":
            self.n_rankings += 1
        elif kind == "audit.started":
            self.audits[data["audit_id"]] = [detail, 0]
        elif kind == "audit.finished" and data["state"] == "certified":
            self.audits[data["audit_id"]][1] += 1
        elif kind == "stopping.changed" and detail.get("what") == "withdrawn":
            self.audits[detail["audit"]][1] -= 1

    def decide(self, kind: str, at: At, data: Json, detail: Json) -> None:
        who, gone = data["reviewer_id"], kind.endswith("withdrawn")
        if gone:
            self.votes[at].pop(who, None)
            if data.get("carried_from") or detail.get("entered_by"):
                self.first[at].pop(who, None)
            return
        self.votes[at][who] = detail
        if not detail.get("second_in"):
            self.first[at].setdefault(who, detail["verdict"])

    def differ(self, kind: str, at: At, data: Json, detail: Json) -> None:
        if "resolution" in detail:
            self.resolved[at] = detail["resolution"]
        if kind != "resolution.changed":
            conflict = self.conflicts.setdefault(data["conflict_id"], {"stage": data["stage"]})
            conflict["kind"] = data.get("kind", conflict.get("kind"))
            conflict["by"] = data.get("by")

    # What follows from it

    def occurrences(self) -> dict[int, list[Came]]:
        """Return every record that came, with its import, by the record that is shown for it."""
        where: dict[int, Json] = {}
        for one in self.imports.values():
            for low, high in one["numbers"]:
                where.update(dict.fromkeys(range(low, high + 1), one))
        unknown = {"found_by": "database", "source": None, "starts_at": TA, "wave": 1}
        groups = defaultdict[int, list[Came]](list)
        for number in range(1, self.last + 1):
            if number not in self.gone:
                shown = int(self.linked.get(str(number), number))
                groups[shown].append((number, where.get(number, unknown)))
        return groups

    def reason(self, number: int) -> str | None:
        """Return why a report is excluded: that of the resolution, else of the votes."""
        at = (FT, str(number))
        order = {same(one): place for place, one in enumerate(self.reasons)}
        settled = self.resolved.get(at)
        given = [settled["reasons"]] if settled and settled.get("reasons") else None
        votes = self.votes[at].values()
        given = given or [one["reasons"] for one in votes if one["verdict"] == "exclude"]
        n = Counter(reason for reasons in given for reason in {same(one) for one in reasons})
        ranked = sorted(
            (order.get(same(one), len(order)), -n[same(one)], place, same(one), one)
            for reasons in given
            for place, one in enumerate(reasons)
        )
        if not ranked:
            return None
        first = ranked[0][4]
        return self.reasons[order[same(first)]] if same(first) in order else first

    def classification(self, number: int) -> str | None:
        at = (FT, str(number))
        settled = self.resolved.get(at)
        votes = [settled] if settled else [*self.votes[at].values()]
        found = {one.get("classification") for one in votes if one["verdict"] != "exclude"}
        return next(iter(found - {None}), None)

    def certified_up_to(self) -> int:
        holding = [logged for logged, n in self.audits.values() if n > 0 and logged["stage"] == TA]
        return max((logged["frame"]["last"] for logged in holding), default=0)


def same(text: str) -> str:
    return " ".join(text.split()).casefold()


def flow(review: Review) -> Boxes:
    """Return the items behind each box: numbers of records, or names of studies."""
    boxes = defaultdict[str | Part, set[int | str]](set)
    limit = review.certified_up_to()
    for shown, came in review.occurrences().items():
        searched = [n for n, of in came if of["found_by"] in ("database", "register")]
        other = [n for n, of in came if SOURCES.get(of["found_by"]) and n not in searched]
        for number, of in came:
            if name := SOURCES.get(of["found_by"]):
                boxes[name].add(number)
        status, removal = review.status.get((TA, str(shown))), review.removed.get(str(shown))
        mine = {k for k, s in review.studies.items() if s["numbers"] & {n for n, _ in came}}
        if any(of["found_by"] == "previous" for _, of in came):
            boxes["duplicates"].update(searched)
            boxes["other_already_found"].update(other)
            boxes["previous_reports"].add(shown)
            boxes["previous_studies"].update(mine or {f"record {shown}"})
            continue
        column, ways = ("dbr", searched) if searched else ("other", other)
        kept = shown if shown in ways else min(ways)
        extra = set(ways) - {kept}
        boxes["duplicates" if searched else "other_already_found"].update(extra)
        if searched:
            boxes["other_already_found"].update(other)
        starts_late = not searched and all(of["starts_at"] == FT for _, of in came)
        unread = shown <= limit and not review.votes[TA, str(shown)] and status is None
        if removal:
            by = {"automation": "excluded_automatic"}.get(removal, "excluded_other")
            boxes[by if searched else "other_removed"].add(shown)
        elif starts_late or status == "included":
            if not starts_late:
                boxes["records_screened" if searched else "other_screened"].add(shown)
            seek(review, boxes, column, shown, came, mine)
        elif status == "excluded":
            boxes["records_screened" if searched else "other_screened"].add(shown)
            boxes["records_excluded" if searched else "other_records_excluded"].add(shown)
        elif unread:
            boxes["excluded_automatic" if searched else "other_removed"].add(shown)
        else:
            boxes["not_screened" if searched else "other_not_screened"].add(shown)
    boxes["new_reports"] = boxes["dbr_included"] | boxes["other_included"]
    boxes["new_studies"] = boxes["included_studies"] - boxes["previous_studies"]
    boxes["total_studies"] = boxes["included_studies"] | boxes["previous_studies"]
    boxes["total_reports"] = boxes["new_reports"] | boxes["previous_reports"]
    return boxes


def seek(
    review: Review, boxes: Boxes, column: str, shown: int, came: list[Came], mine: set[str]
) -> None:
    """Follow a report through retrieval and full text."""
    boxes[f"{column}_sought_reports"].add(shown)
    logged = [review.retrieval[n] for n, _ in came if n in review.retrieval]
    state = max(logged, key=BEST.index, default=None)
    if state == "not_retrieved":
        boxes[f"{column}_notretrieved_reports"].add(shown)
        return
    if state != "retrieved":
        boxes[f"{column}_being_sought"].add(shown)
        return
    boxes[f"{column}_assessed"].add(shown)
    status = review.status.get((FT, str(shown)))
    sampled = not mine or any(review.studies[one]["sampled"] is not False for one in mine)
    if status == "excluded":
        name = "excluded"
        boxes[f"{column}_excluded", review.reason(shown)].add(shown)
    elif status != "included":
        name = "to_assess"
    else:
        name = review.classification(shown) or ("included" if sampled else "eligible_not_sampled")
    boxes[f"{column}_{name}"].add(shown)
    if name == "included":
        boxes["included_studies"].update(mine or {f"record {shown}"})


def agreement(review: Review, stage: str) -> tuple[int, int, dict[str, float | None]]:
    """Return of all pairs of first decisions the table, and the figures that follow from it."""
    table, n_records = [0, 0, 0, 0], 0
    for (of, record), first in review.first.items():
        now = review.votes[of, record]
        read = sorted((who, verdict) for who, verdict in first.items() if who in now)
        if of != stage or record in review.linked or len(read) < 2:
            continue
        n_records += 1
        for (_, one), (_, other) in combinations(read, 2):
            table[3 - 2 * (one != "exclude") - (other != "exclude")] += 1
    a, b, c, d = table
    n = sum(table)
    if not n:
        return n, n_records, {}
    chance = (a + b) * (a + c) + (c + d) * (b + d)
    share = (2 * a + b + c) / (2 * n)
    gwet = 2 * share * (1 - share)
    figures = {
        "Percent agreement": (a + d) / n,
        "Cohen's kappa": ratio((a + d) * n - chance, n * n - chance),
        "PABAK": 2 * (a + d) / n - 1,
        "Gwet's AC1": ratio((a + d) / n - gwet, 1 - gwet),
        "Positive agreement": ratio(2 * a, 2 * a + b + c),
        "Negative agreement": ratio(2 * d, 2 * d + b + c),
    }
    return n, n_records, figures


def ratio(above: float, below: float) -> float | None:
    return above / below if below else None


class Table:
    """What is printed: each number beside the recomputed one."""

    def __init__(self) -> None:
        self.rows = list[tuple[str, object, object, str]]()
        self.n_different = 0

    def compare(self, name: str, claimed: object, found: object) -> None:
        self.n_different += claimed != found
        self.rows.append((name, claimed, found, "yes" if claimed == found else "NO"))

    def print(self) -> None:
        width = max(len(name) for name, *_ in self.rows)
        print(f"{'number':<{width}}  {'in the crate':>14}  {'recomputed':>14}  equal")
        for name, claimed, found, equal in self.rows:
            print(f"{name:<{width}}  {claimed!s:>14}  {found!s:>14}  {equal}")
        print(f"{len(self.rows)} numbers, {self.n_different} different")


def check_files(crate: ZipFile, table: Table) -> None:
    graph = json.loads(crate.read("ro-crate-metadata.json"))["@graph"]
    logged = {one["@id"]: one["sha256"] for one in graph if "sha256" in one}
    for name in sorted({*logged, *crate.namelist()} - {"ro-crate-metadata.json"}):
        there = name in crate.namelist()
        digest = hashlib.sha256(crate.read(name)).hexdigest()[:12] if there else "missing"
        table.compare(f"SHA-256 of {name}", logged.get(name, "not described")[:12], digest)


def check_chain(events: Sequence[Json], header: Json, table: Table) -> None:
    """Follow the chain of hashes; name the first event that does not fit."""
    before, first = "", None
    for due, event in enumerate(events, start=1):
        logged = {name: event[name] for name in ("seq", "id", "type", "time", "subject", "data")}
        seal = event["seal"]
        if event.get("detail") is not None:
            seal = sha256(f"{event['salt']}\n{canonical(event['detail'])}")
        link = sha256(f"{before}\n{canonical(logged)}\n{seal}")
        if first is None and (link != event["hash"] or event["seq"] != due):
            first = event["seq"]
        before = event["hash"]
    table.compare("First event that breaks the chain", None, first)
    table.compare("Events", header["last_seq"], len(events))
    table.compare("Last hash", header["last_hash"][:12], before[:12])


def check_flow(crate: ZipFile, review: Review, table: Table) -> None:
    boxes = flow(review)
    for key, box in json.loads(crate.read("flow.json"))["boxes"].items():
        unions = {"being_sought", "to_assess", "ongoing", "awaiting_classification"}
        if key in {*unions, "eligible_not_sampled"}:
            found = boxes[f"dbr_{key}"] | boxes[f"other_{key}"]
        else:
            found = boxes[key.replace("_specific", "")]
        claimed = {item.get("study_id") or item["record_id"] for item in box["items"]}
        table.compare(f"Flow: {key}", box["n"], len(found))
        names = {str(one).removeprefix("record ") for one in found}
        table.compare(f"Flow: {key}, items that are not the same", 0, len(claimed ^ names))
        if key.endswith("_excluded") and key in ("dbr_excluded", "other_excluded"):
            for part in box["parts"]:
                label = None if part["label"] == "Reason not given" else part["label"]
                table.compare(f"Flow: {key}, {label}", part["n"], len(boxes[key, label]))


def rows_of(report: str) -> Iterator[tuple[str | None, list[str]]]:
    """Yield the stage and the cells of each row of a table of the report, and each paragraph."""
    stage = None
    for line in report.splitlines():
        plain = line.replace("\\", "")
        if plain.startswith("#"):
            stage = HEADINGS.get(plain.lstrip("# "), stage if plain.startswith("####") else None)
        elif plain.startswith("| "):
            yield stage, [cell.strip() for cell in plain.strip("| ").split(" | ")]
        else:
            yield stage, [plain]


def check_methods(crate: ZipFile, review: Review, table: Table) -> None:
    figures = {stage: agreement(review, stage) for stage in (TA, FT)}
    due, claimed = conflicts_of(review), Counter[tuple[str, str]]()
    n_rankings = 0
    for stage, (name, *rest) in rows_of(crate.read("methods.md").decode()):
        if stage and not rest:
            check_sentence(name, stage, figures[stage], review, table)
        elif stage and name in figures[stage][2]:
            value = figures[stage][2][name]
            written = "not defined" if value is None else f"{value:.3f}"
            table.compare(f"Methods: {stage}, {name}", rest[0].split(" (")[0], written)
        elif stage and name.startswith(("Conflict about", "Ended by")):
            claimed[stage, name] = int(rest[0])
        elif rankings := re.findall(r"\((\d+) rankings?\)", name):
            n_rankings = sum(map(int, rankings))
    for stage, name in sorted({*due, *claimed}):
        table.compare(f"Methods: {stage}, {name}", claimed[stage, name], due[stage, name])
    table.compare("Methods: rankings", n_rankings, review.n_rankings)


def check_sentence(
    text: str,
    stage: str,
    figures: tuple[int, int, dict[str, float | None]],
    review: Review,
    table: Table,
) -> None:
    """Check how many people decided, and how many decisions were compared."""
    if numbers := re.search(r"(\d+) pairs? on (\d+) records?", text):
        claimed = (int(numbers[1]), int(numbers[2]))
        table.compare(f"Methods: {stage}, pairs and records", claimed, figures[:2])
    if people := re.search(r"(\d+) (?:people|person) decided", text):
        who = {one for (of, _), first in review.first.items() if of == stage for one in first}
        table.compare(f"Methods: {stage}, people", int(people[1]), len(who))


def conflicts_of(review: Review) -> Counter[tuple[str, str]]:
    """Return by stage and name how many conflicts there were, and what ended them."""
    found = Counter[tuple[str, str]]()
    for one in review.conflicts.values():
        state = "resolved" if one["by"] else "open"
        found[one["stage"], f"Conflict about the {one['kind']}, {state}"] += 1
        if one["by"]:
            found[one["stage"], f"Ended by: {one['by']}"] += 1
    return found


def check_tables(crate: ZipFile, review: Review, table: Table) -> None:
    boxes = flow(review)
    studies = csv.DictReader(io.StringIO(crate.read("studies.csv").decode()))
    n = len([*studies])
    table.compare("Rows of studies.csv", n, len(boxes["included_studies"]))
    excluded = [*csv.DictReader(io.StringIO(crate.read("excluded.csv").decode()))]
    due = len(boxes["dbr_excluded"] | boxes["other_excluded"])
    table.compare("Rows of excluded.csv", len(excluded), due)
    wrong = [
        row["record_id"]
        for row in excluded
        if (review.reason(int(row["record_id"])) or "Reason not given") != row["reason"]
    ]
    table.compare("Rows of excluded.csv with another reason", 0, len(wrong))
    ris = crate.read("included.ris").decode()
    n_references = len(re.findall("(?m)^TY  - ", ris))
    table.compare("Reports of included.ris", n_references, len(boxes["new_reports"]))


def main(path: str) -> int:
    table, review = Table(), Review()
    with ZipFile(path) as crate:
        check_files(crate, table)
        header, *lines = map(json.loads, crate.read("trail.jsonl").decode().splitlines())
        events = [line for line in lines if "seq" in line]
        check_chain(events, header, table)
        for event in events:
            review.take(event)
        check_flow(crate, review, table)
        check_methods(crate, review, table)
        check_tables(crate, review, table)
    table.print()
    return 1 if table.n_different else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: recompute.py review.crate.zip")
    sys.exit(main(sys.argv[1]))
