"""Every box against a second implementation that asks one plain question for each box."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.origin import FoundBy, RemovalKind
from tandem.reporting.boxes import LABELS, StudyKey
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reporting.flow import Template, flow
from tandem.reports.rules import Standing
from tandem.screening.rules import Status

BEHIND = [one for one in Standing if one is not Standing.PREVIOUS]
REASONS = ["Not qualitative", "No setting, 2; or 3", "Other"]


@st.composite
def reviews(draw: st.DrawFn) -> list[RecordFacts]:
    """Records with numbers 1, 2, 3, … whose facts agree with each other."""
    found, number = [], 0
    for size in draw(st.lists(st.integers(1, 3), max_size=12)):
        occurrences = [
            Occurrence(
                number + place,
                draw(st.sampled_from(FoundBy)),
                draw(st.sampled_from([None, "Medline", "Scopus"])),
                draw(st.integers(1, 3)),
            )
            for place in range(1, size + 1)
        ]
        number += size
        shown = draw(st.sampled_from(occurrences)).number
        found.append(draw(_facts(shown, occurrences)))
    return found


@st.composite
def _facts(draw: st.DrawFn, number: int, occurrences: list[Occurrence]) -> RecordFacts:
    removal = draw(st.none() | st.sampled_from(RemovalKind))
    status = Status.UNSCREENED if removal else draw(st.sampled_from(Status))
    otherwise = not any(one.found_by.is_searched for one in occurrences)
    at_full_text = otherwise and draw(st.booleans())
    goes_on = removal is None and (at_full_text or status is Status.INCLUDED)
    open_to = [one for one in BEHIND if one is not Standing.NOT_SOUGHT]
    return RecordFacts(
        number=number,
        occurrences=occurrences,
        status=status,
        removal=removal,
        left_unread=draw(st.booleans()),
        at_full_text=at_full_text,
        standing=draw(st.sampled_from(open_to)) if goes_on else Standing.NOT_SOUGHT,
        reason=draw(st.sampled_from([None, *REASONS])),
        studies=frozenset(draw(st.sets(st.sampled_from(["s1", "s2", "s3"]), max_size=2))),
    )


class Naive:
    """Asks of one record, or of one occurrence of it, whether it is in a box."""

    def __init__(self, records: list[RecordFacts], wave: int | None) -> None:
        self.wave = wave
        self.records = [one for one in records if wave is None or one.first_wave <= wave]

    def now(self, one: Occurrence) -> bool:
        return self.wave is None or one.wave == self.wave

    def known_before(self, record: RecordFacts) -> bool:
        by_wave = self.wave is not None and min(o.wave for o in record.occurrences) < self.wave
        return by_wave or any(o.found_by == "previous" for o in record.occurrences)

    def column(self, record: RecordFacts) -> str:
        if self.known_before(record):
            return "previous"
        ways = {o.found_by.value for o in record.occurrences if self.now(o)}
        return "dbr" if ways & {"database", "register"} else "other"

    def occurrences(self, *ways: str) -> set[int]:
        return {
            o.number for r in self.records for o in r.occurrences if self.now(o)
            if o.found_by.value in ways
        }  # fmt: skip

    def later(self, column: str, *ways: str) -> set[int]:
        """Return the occurrences of these ways that brought no record into this column."""
        found = set[int]()
        for record in self.records:
            of = sorted(o.number for o in record.occurrences if self.now(o) if o.found_by in ways)
            if self.column(record) == column:
                of.remove(record.number if record.number in of else of[0])
            found |= set(of)
        return found

    def where(self, column: str, *asked: Callable[[RecordFacts], bool]) -> set[int]:
        return {
            r.number for r in self.records
            if self.column(r) == column and all(ask(r) for ask in asked)
        }  # fmt: skip

    def studies(self, numbers: set[int]) -> set[StudyKey]:
        found = set[StudyKey]()
        for record in self.records:
            if record.number in numbers:
                named = {StudyKey(study, 0) for study in record.studies}
                found |= named or {StudyKey("", record.number)}
        return found


OTHERS = ("website", "organisation", "citation", "other")


def naive(records: list[RecordFacts], wave: int | None) -> dict[str, set[int] | set[StudyKey]]:
    of = Naive(records, wave)

    def read(r: RecordFacts) -> bool:
        return r.removal is None and r.status in ("included", "excluded")

    def unread(r: RecordFacts) -> bool:
        return r.removal is None and r.left_unread and r.status == "unscreened"

    def goes_on(r: RecordFacts) -> bool:
        return r.removal is None and (r.at_full_text or r.status == "included")

    def screens(r: RecordFacts) -> bool:
        return not r.at_full_text

    found: dict[str, set[int] | set[StudyKey]] = {
        "database_results": of.occurrences("database"),
        "database_specific_results": of.occurrences("database"),
        "register_results": of.occurrences("register"),
        "register_specific_results": of.occurrences("register"),
        "website_results": of.occurrences("website"),
        "organisation_results": of.occurrences("organisation"),
        "citations_results": of.occurrences("citation"),
        "other_method_results": of.occurrences("other"),
        "duplicates": of.later("dbr", "database", "register"),
        "other_already_found": of.later("other", *OTHERS),
        "excluded_other": of.where("dbr", lambda r: r.removal == "other"),
        "excluded_automatic": of.where("dbr", lambda r: r.removal == "automation" or unread(r)),
        "records_screened": of.where("dbr", read),
        "records_excluded": of.where("dbr", read, lambda r: r.status == "excluded"),
        "not_screened": of.where("dbr", lambda r: not r.removal and not read(r) and not unread(r)),
        "other_removed": of.where("other", lambda r: bool(r.removal) or (screens(r) and unread(r))),
        "other_screened": of.where("other", screens, read),
        "other_records_excluded": of.where("other", screens, read, lambda r: not goes_on(r)),
        "other_not_screened": of.where(
            "other", screens, lambda r: not r.removal and not read(r) and not unread(r)
        ),
    }
    assessed = ["to_assess", "excluded", "ongoing", "awaiting_classification"]
    assessed += ["eligible_not_sampled", "included"]

    def standing(column: str, one: str) -> set[int]:
        return of.where(column, goes_on, lambda r: r.standing == one)

    for column in ("dbr", "other"):
        sought = {one.value: standing(column, one) for one in BEHIND}
        found[f"{column}_sought_reports"] = of.where(column, goes_on)
        found[f"{column}_notretrieved_reports"] = sought["not_retrieved"]
        found[f"{column}_being_sought"] = sought["being_sought"]
        found |= {f"{column}_{name}": sought[name] for name in assessed}
        found[f"{column}_assessed"] = set[int]().union(*(sought[n] for n in assessed))
    for name in ("being_sought", *assessed):
        found[name] = {*found[f"dbr_{name}"], *found[f"other_{name}"]}
    included = {
        r.number for r in of.records if r.standing == "included" and not of.known_before(r)
        if goes_on(r)
    }  # fmt: skip
    del found["included"], found["excluded"]
    before = of.where(
        "previous",
        lambda r: r.standing == "included" or any(o.found_by == "previous" for o in r.occurrences),
    )
    found["new_reports"], found["previous_reports"] = included, before
    found["total_reports"] = included | before
    found["previous_studies"] = of.studies(before)
    found["new_studies"] = of.studies(included) - of.studies(before)
    found["total_studies"] = of.studies(included | before)
    return found


@given(reviews(), st.none() | st.integers(1, 3))
def test_each_box_holds_what_a_plain_question_finds(
    records: list[RecordFacts], wave: int | None
) -> None:
    made, due = flow(records, wave=wave, reasons=REASONS), naive(records, wave)

    assert made.boxes.keys() == LABELS.keys()
    for name, box in made.boxes.items():
        assert set(box.items) == due[name], name
        assert len(box.items) == len(set(box.items)), name


@given(reviews(), st.none() | st.integers(1, 3))
def test_the_invariants_hold_for_facts_that_agree(
    records: list[RecordFacts], wave: int | None
) -> None:
    made = flow(records, wave=wave)

    assert [one for one in made.invariants if not one.holds] == []
    assert len(made.invariants) >= 15


@given(reviews())
def test_waves_add_up_to_the_whole(records: list[RecordFacts]) -> None:
    """What the waves found is what was found, and each report is new in one wave at most."""
    whole, waves = flow(records), [flow(records, wave=wave) for wave in (1, 2, 3)]

    for name in ("database_results", "citations_results", "new_reports"):
        parts = [item for one in waves for item in one.boxes[name].items]
        assert sorted(parts, key=str) == sorted(whole.boxes[name].items, key=str)


def test_an_included_report_that_does_not_go_on_breaks_an_invariant() -> None:
    """The equations are checked, not true by construction."""
    made = flow([_one(1, status=Status.INCLUDED, standing=Standing.NOT_SOUGHT)])

    assert [one.name for one in made.invariants if not one.holds] == [
        "dbr: sought = not retrieved + being sought + assessed"
    ]


def test_a_copy_from_a_website_of_a_database_record_is_already_found() -> None:
    record = _one(2, Occurrence(2, FoundBy.WEBSITE), Occurrence(1, FoundBy.DATABASE))

    made = flow([record])

    assert made.boxes["not_screened"].items == (2,)
    assert made.boxes["other_already_found"].items == (2,)
    assert made.n("duplicates") == 0
    assert made.template is Template.NEW_V2


def test_records_left_unread_under_a_certificate_count_as_marked_by_automation() -> None:
    made = flow([_one(1, left_unread=True), _one(2, removal=RemovalKind.AUTOMATION)])

    assert made.boxes["excluded_automatic"].items == (1, 2)
    assert [part.n for part in made.boxes["excluded_automatic"].parts] == [1, 1]
    assert made.is_finished


def test_a_report_of_a_previous_study_is_a_new_report_and_no_new_study() -> None:
    before = _one(1, Occurrence(1, FoundBy.PREVIOUS), studies=frozenset({"s"}))
    after = replace(_included(2), studies=frozenset({"s"}))

    made = flow([before, after])

    assert (made.n("new_reports"), made.n("new_studies")) == (1, 0)
    assert (made.n("total_reports"), made.n("total_studies")) == (2, 1)
    assert made.template is Template.UPDATED_V1


def test_reasons_stand_in_the_reviews_order_and_what_has_none_says_so() -> None:
    excluded = {"status": Status.INCLUDED, "standing": Standing.EXCLUDED}
    records = [_one(n, **excluded, reason=r) for n, r in enumerate(["b", None, "a", "b"], 1)]

    made = flow(records, reasons=["A", "B"])

    parts = [(part.label, part.n) for part in made.boxes["dbr_excluded"].parts]
    assert parts == [("a", 1), ("b", 2), ("Reason not given", 1)]


@pytest.mark.parametrize("template", Template)
def test_a_template_says_what_it_has(template: Template) -> None:
    assert template is Template.of(
        is_updated=template.is_updated, has_other_methods=template.has_other_methods
    )


def _one(number: int, *occurrences: Occurrence, **facts: object) -> RecordFacts:
    return RecordFacts(number, occurrences or (Occurrence(number),), **facts)  # type: ignore[arg-type]


def _included(number: int) -> RecordFacts:
    return _one(number, status=Status.INCLUDED, standing=Standing.INCLUDED)
