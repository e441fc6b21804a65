"""The report of a review's methods: from facts to a document. Pure.

Each number says which event of the log it comes from, or as of which event it was counted. What
Tandem does not know is left to the team, visibly.
"""

from collections.abc import Iterator, Sequence

from tandem.handover.checklists import checklists
from tandem.handover.document import Block, Bullets, Document, Heading, Paragraph, Table, ToAdd
from tandem.handover.listed_near_misses import near_misses
from tandem.handover.methods_facts import MethodsFacts, Screening, Search
from tandem.reporting.boxes import UNIONS
from tandem.reporting.flow import Flow
from tandem.reviews.policy import Policy, Stage
from tandem.screening.agreement.statistics import Figure, Figures

_STAGES = {Stage.TITLE_ABSTRACT: "Titles and abstracts", Stage.FULL_TEXT: "Full texts"}
_PEOPLE = {1: "one person", 2: "two people independently", 3: "three people independently"}
_SETTLES = {
    "adjudicator": "an adjudicator",
    "consensus": "a second vote of its reviewers, who saw each other's decisions without names",
    "majority": "the majority, and where there was none by an adjudicator",
}
_ASSESSED = ("dbr_excluded", "other_excluded")


def report(facts: MethodsFacts) -> Document:
    """Return the document; the same facts give the same one."""
    blocks = [
        Paragraph(
            f"Made by Tandem from its log, as of event {facts.as_of}. Brackets say where a number "
            "comes from: an event of the log, or the event as of which it was counted."
        ),
        *_question(facts),
        *_criteria(facts),
        *_sources(facts),
        *_selection(facts),
        *_flow(facts),
        *_stopping(facts),
        *_ranking(facts),
        *checklists(facts),
    ]
    return Document(f"Methods of: {facts.title}", blocks)


def _question(facts: MethodsFacts) -> Iterator[Block]:
    if facts.question:
        yield Paragraph(f"Question: {facts.question}")
    else:
        yield ToAdd("the question of the review; none is written in Tandem.")


def _criteria(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("Eligibility criteria (PRISMA 2020, item 5)")
    if not any(one.include or one.exclude for one in facts.criteria):
        yield ToAdd("the eligibility criteria; none are written in Tandem.")
    for one in facts.criteria:
        note = f" Reason for the change: {one.note}" if one.note else ""
        if not (one.include or one.exclude or note):
            continue  # a review begins with a version that is empty
        yield Heading(f"Version {one.version}, {one.at:%Y-%m-%d} [{_as_of(facts)}]", 3)
        if note:
            yield Paragraph(note.strip())
        for what, texts in (("Include", one.include), ("Exclude", one.exclude)):
            if texts:
                yield Paragraph(f"{what}:")
                yield Bullets(texts)
    if facts.reasons:
        yield Paragraph("Reasons for exclusion, in order; of several the first is reported:")
        yield Bullets(facts.reasons)
    yield ToAdd("how studies were grouped for the syntheses.")


def _sources(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("Information sources and search (PRISMA 2020, items 6 and 7; PRISMA-S)")
    if not facts.searches:
        yield Paragraph("No file was imported.")
        return
    header = ("Source", "Platform", "Found by", "Date", "Wave", "Read", "Added", "Rejected", "From")
    yield Table(header, [_search(facts, one) for one in facts.searches])
    for one in facts.searches:
        if one.strategy:
            yield Heading(f"Search strategy: {one.source}", 3)
            yield Paragraph(one.strategy)
    missing = [one.source for one in facts.searches if not one.strategy]
    if missing:
        yield ToAdd(f"the full search strategy of {_listed(missing)}.")
    undated = [one.source for one in facts.searches if one.searched_on is None]
    if undated:
        yield ToAdd(f"the date of the search of {_listed(undated)}.")


def _search(facts: MethodsFacts, one: Search) -> Sequence[str]:
    return (
        one.source,
        one.platform or "not said",
        one.found_by,
        "not said" if one.searched_on is None else one.searched_on.isoformat(),
        str(one.wave),
        str(one.n_read),
        str(one.n_added),
        str(one.n_rejected),
        _as_of(facts) if one.seq is None else f"event {one.seq}",
    )


def _selection(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("Selection process (PRISMA 2020, item 8)")
    for stage in facts.stages:
        yield Heading(_STAGES[stage.stage], 3)
        if not stage.n_people:
            yield Paragraph(f"Nobody has decided anything at this stage [{_as_of(facts)}].")
            continue
        yield Paragraph(
            f"{_rules(stage.policy)} {_n(stage.n_people, 'person', 'people')} decided "
            f"[{_as_of(facts)}]."
        )
        yield from _agreement(facts, stage.agreement.figures)
        yield from _conflicts(facts, stage)
    yield Paragraph(
        "The rules are those in force now. The audit trail has each earlier version, with its date."
    )


def _rules(policy: Policy) -> str:
    blind = (
        "Reviewers did not see each other's decisions on a record until it was settled, or until "
        "the rules opened its conflict to them."
        if policy.blind
        else "Reviewers could see each other's decisions."
    )
    single = " The first include settled a record." if policy.single_include_advances else ""
    maybe = "a conflict" if policy.maybe == "conflict" else "an include"
    match = (
        " Different reasons for an exclusion were a conflict." if policy.reasons_must_match else ""
    )
    return (
        f"Each record was to be decided by {_PEOPLE[policy.reviewers_per_record]}.{single} {blind} "
        f'"Maybe" counted as {maybe}.{match} A conflict was settled by '
        f"{_SETTLES[policy.resolution]}."
    )


def _agreement(facts: MethodsFacts, figures: Figures) -> Iterator[Block]:
    if not figures.n:
        yield Paragraph(f"No record was decided by two people [{_as_of(facts)}].")
        return
    yield Paragraph(
        f"Agreement of first decisions: {_n(figures.n, 'pair')} on "
        f"{_n(figures.n_records, 'record')}, with 95 % intervals [{_as_of(facts)}]."
    )
    named = {
        "Percent agreement": figures.percent,
        "Cohen's kappa": figures.kappa,
        "PABAK": figures.pabak,
        "Gwet's AC1": figures.ac1,
        "Krippendorff's alpha": figures.alpha,
        "Positive agreement": figures.positive_agreement,
        "Negative agreement": figures.negative_agreement,
    }
    yield Table(("Figure", "Value"), [(name, _figure(one)) for name, one in named.items()])
    if figures.note:
        yield Paragraph(figures.note)


def _figure(one: Figure) -> str:
    if one.value is None:
        return "not defined"
    if one.low is None or one.high is None:
        return f"{one.value:.3f}"
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _conflicts(facts: MethodsFacts, stage: Screening) -> Iterator[Block]:
    found = stage.conflicts
    rows = [
        *((f"Conflict about the {kind}, {state}", n) for (kind, state), n in found.by_kind.items()),
        *((f"Ended by: {how}", n) for how, n in found.settled_by.items()),
        *(
            (f"Cause: {cause or 'not said'}", of.n_include + of.n_exclude)
            for cause, of in found.by_cause.items()
        ),
    ]
    if rows:
        yield Table(
            ("Conflicts", f"Number [{_as_of(facts)}]"), [(what, str(n)) for what, n in sorted(rows)]
        )
    else:
        yield Paragraph(f"There was no conflict [{_as_of(facts)}].")


def _flow(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("Study selection (PRISMA 2020, item 16)")
    flow = facts.flow.flow
    if not flow.is_finished:
        yield Paragraph("Screening is not finished: these numbers will change.")
    rows = [row for key in shown_boxes(flow) for row in _box(flow, key)]
    if rows:
        yield Table(("Box of the flow diagram", f"n [{_as_of(facts)}]"), rows)
    for one in facts.flow.warnings:
        yield Paragraph(f"Note: {one.message}")
    if any(flow.boxes[key].n for key in _ASSESSED):
        yield Paragraph(
            "Each report that was excluded at full text, with its reason, is in excluded.csv of "
            "the hand-over."
        )
    yield ToAdd("the citation of each included study (item 17); included.ris has them.")
    yield from near_misses(facts)


def shown_boxes(flow: Flow) -> list[str]:
    """Return the boxes that the table has, in order: none that repeats what others count."""
    repeated = {*UNIONS, *_OF_SOURCES.values()} - {"new_reports"} | {"dbr_included"}
    repeated |= {"other_included"}
    if not flow.n("previous_reports"):
        repeated |= {"total_studies", "total_reports"}
    return [key for key, box in flow.boxes.items() if box.n and key not in repeated]


_OF_SOURCES = {
    "database_results": "database_specific_results",
    "register_results": "register_specific_results",
}


def _box(flow: Flow, key: str) -> Iterator[Sequence[str]]:
    box = flow.boxes[key]
    is_other = key.startswith("other_") and "other methods" not in box.label.lower()
    yield f"{box.label} (other methods)" if is_other else box.label, str(box.n)
    parts = flow.boxes[_OF_SOURCES.get(key, key)].parts
    for part in () if key == "new_reports" else parts:
        yield f"… {part.label}", str(part.n)


def _n(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or f'{one}s'}"


def _stopping(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("When screening stopped")
    if not facts.certificates:
        yield Paragraph("There is no certificate of recall in force.")
    for text in facts.certificates:
        yield Paragraph(f"{text} [{_as_of(facts)}]")


def _ranking(facts: MethodsFacts) -> Iterator[Block]:
    yield Heading("Automation (PRISMA 2020, item 8; RAISE)")
    if not facts.models:
        yield Paragraph("No ranking was made: nothing ordered the records by what they say.")
        return
    named = _listed([f"{one.name} ({_n(one.n_rankings, 'ranking')})" for one in facts.models])
    yield Paragraph(
        f"Records were ordered by machine learning: {named}, seed {facts.seed} [{_as_of(facts)}]. "
        "The ranking ordered the records and never excluded one; people made each decision. It "
        "learned from this review's decisions; before there were any it used the question, the "
        "criteria, the studies that the team knew, and what other reviews usually include."
    )
    yield ToAdd(
        "why it was used, how it was judged to be fit for this review, and who is "
        "accountable for it (RAISE); other tools of artificial intelligence, if any."
    )


def _listed(names: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(names))


def _as_of(facts: MethodsFacts) -> str:
    return f"as of event {facts.as_of}"
