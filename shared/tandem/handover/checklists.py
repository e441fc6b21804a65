"""What of the reporting guidelines the report fills, and what is the team's to add. Pure."""

from collections.abc import Iterator, Sequence

from tandem.handover.document import Block, Heading, Paragraph, Table
from tandem.handover.methods_facts import MethodsFacts
from tandem.records.origin import FoundBy
from tandem.reviews.policy import Stage

_FEWEST_AT_FULL_TEXT = 2


def checklists(facts: MethodsFacts) -> Iterator[Block]:
    """Yield PRISMA-S, ENTREQ 3-9 and MECIR C39-C42, each item as filled or as the team's."""
    yield Heading("PRISMA-S, items 1 to 16")
    yield Table(("Item", "Filled by Tandem", "Left to the team"), list(_prisma_s(facts)))
    yield Heading("ENTREQ, items 3 to 9")
    yield Table(("Item", "Filled by Tandem", "Left to the team"), list(_entreq(facts)))
    yield Paragraph("The team adds: items 1, 2 and 10 to 21, which are about the synthesis itself.")
    yield Heading("MECIR, C39 to C42")
    yield Table(("Standard", "Filled by Tandem", "Left to the team"), list(_mecir(facts)))


def _prisma_s(facts: MethodsFacts) -> Iterator[Sequence[str]]:
    """Yield the items of PRISMA-S: of each source what is known, and what nobody wrote."""

    def found(*ways: FoundBy) -> str:
        names = dict.fromkeys(one.source for one in facts.searches if one.found_by in ways)
        return "; ".join(names) or "–"

    def missing(field: str, what: str) -> str:
        names = dict.fromkeys(one.source for one in facts.searches if not getattr(one, field))
        return f"The team adds: {what} of {'; '.join(names)}." if names else "–"

    searched = dict.fromkeys(f"{one.platform}" for one in facts.searches if one.platform)
    dates = dict.fromkeys(
        f"{one.source}: {one.searched_on}" for one in facts.searches if one.searched_on
    )
    n_waves = max((one.wave for one in facts.searches), default=1)
    n_read, as_of = sum(one.n_read for one in facts.searches), f"[as of event {facts.as_of}]"
    yield "1 Database name", found(FoundBy.DATABASE), missing("platform", "the platform")
    yield "2 Multi-database searching", "; ".join(searched) or "–", "The team adds: which at once."
    yield "3 Study registries", found(FoundBy.REGISTER), "–"
    by_hand = found(FoundBy.WEBSITE, FoundBy.ORGANISATION)
    yield "4 Online resources and browsing", by_hand, "The team adds: how they were browsed."
    yield "5 Citation searching", found(FoundBy.CITATION), "The team adds: from which works."
    yield "6 Contacts", "–", "The team adds: whom it asked for studies, or nobody."
    yield "7 Other methods", found(FoundBy.OTHER), "–"
    written = "Search strategies" if any(one.strategy for one in facts.searches) else "–"
    yield "8 Full search strategies", written, missing("strategy", "the full search strategy")
    yield "9 Limits and restrictions", "–", "The team adds: by date, language, kind; or none."
    yield "10 Search filters", "–", "The team adds: published filters, cited; or none."
    yield "11 Prior work", found(FoundBy.PREVIOUS), "The team adds: strategies taken over."
    updates = f"{n_waves} searches (waves) {as_of}" if n_waves > 1 else f"One search {as_of}"
    yield "12 Updates", updates, "–"
    yield "13 Dates of searches", "; ".join(dates) or "–", missing("searched_on", "the date")
    yield "14 Peer review", "–", "The team adds: whether the strategy was reviewed (PRESS)."
    yield (
        "15 Total records",
        f"{n_read} records read {as_of}; Information sources has each source",
        "–",
    )
    n_removed = facts.flow.flow.n("duplicates")
    removed = f"{n_removed} duplicate{'s' * (n_removed != 1)} removed by Tandem {as_of}"
    yield "16 Deduplication", removed, "The team adds: what was removed before the import."


def _entreq(facts: MethodsFacts) -> Iterator[Sequence[str]]:
    has_strategy = any(one.strategy for one in facts.searches)
    yield "3 Approach to searching", "–", "The team adds: pre-planned or iterative, and why."
    yield "4 Inclusion criteria", _if(facts.criteria[-1:], "Eligibility criteria"), "–"
    yield "5 Data sources", _if(facts.searches, "Information sources"), "The team adds: why these."
    yield (
        "6 Electronic search strategy",
        _if(has_strategy, "Search strategies, where they were written"),
        "–" if all(one.strategy for one in facts.searches) else "The team adds: what is missing.",
    )
    yield "7 Study screening methods", _if(facts.stages, "Selection process"), "–"
    yield (
        "8 Study characteristics",
        "studies.csv of the hand-over, as far as fields are filled",
        "The team adds: what is empty there.",
    )
    yield (
        "9 Study selection results",
        "Study selection, with the reasons for exclusion",
        "The team adds: how theory development guided selection, if it did.",
    )


def _mecir(facts: MethodsFacts) -> Iterator[Sequence[str]]:
    full = next(one for one in facts.stages if one.stage is Stage.FULL_TEXT)
    n = full.policy.reviewers_per_record
    kept = "kept" if n >= _FEWEST_AT_FULL_TEXT else "not kept"
    warned = [one.message for one in facts.flow.warnings if one.code == "c40"]
    yield (
        "C39 Two people decide on full texts",
        f"{n} for each report: {kept}",
        "The team adds: that the process was set beforehand.",
    )
    yield (
        "C40 No exclusion for unusable outcome data",
        " ".join(warned) or "No reason for exclusion sounds like it",
        "The team adds: whether that is so.",
    )
    yield (
        "C41 Enough for the flow diagram and the table of excluded studies",
        "Study selection; excluded.csv of the hand-over",
        "–",
    )
    yield (
        "C42 Reports of one study are collated",
        f"{facts.flow.flow.n('new_studies')} studies of {facts.flow.flow.n('new_reports')} reports "
        f"[as of event {facts.as_of}]",
        "The team adds: how companions were looked for.",
    )


def _if(there: object, text: str) -> str:
    return text if there else "–"
