"""The flow of a review for those who may see it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.keyset import Cursor, Slice, sliced
from tandem.errors import Forbidden, NotFound
from tandem.ids import ReviewId
from tandem.records import waves
from tandem.records.models import Record
from tandem.reporting import evidence, gathering
from tandem.reporting.boxes import Box, Item, StudyKey
from tandem.reporting.facts import RecordFacts
from tandem.reporting.flow import Flow, Template, flow
from tandem.reports.models import Study
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded


class FlowWarning(StrEnum):
    """What somebody who prints the diagram should know."""

    DOES_NOT_ADD_UP = "does_not_add_up"
    COLUMN_HIDDEN = "column_hidden"
    NOT_IN_CSV = "not_in_csv"
    C40 = "c40"
    """Of MECIR: unusable outcome data is no reason to exclude a study."""


@dataclass(frozen=True, slots=True)
class Warned:
    code: FlowWarning
    message: str


@dataclass(frozen=True, slots=True)
class ShownFlow:
    """A flow, the diagram it is drawn as, and the number of the last event that it counts."""

    flow: Flow
    template: Template
    title: str
    as_of: int
    warnings: Sequence[Warned]


class NoBox(NotFound):
    """The flow has no such box, or the box no such part."""


@dataclass(frozen=True, slots=True)
class BoxItem:
    """A record or a study of a box, the event that put a record there, and what it is called.

    `title`: of the record; of a study its label, or the title of its only report.
    """

    item: Item
    seq: int | None
    title: str | None


def require_sight(viewer: Viewer, what: str = "The flow") -> None:
    """Raise Forbidden for who is blinded in either stage: the numbers tell how others voted."""
    if not all(is_unblinded(viewer, stage) for stage in Stage):
        raise Forbidden(
            f"{what} tells how others voted. Only those who see every status in both stages may "
            "see it: owners and adjudicators, and in stages that are not blind all members."
        )


def shown(
    session: Session,
    *,
    viewer: Viewer,
    wave: int | None = None,
    template: Template | None = None,
) -> ShownFlow:
    """Return the review's flow as it is now.

    Args:
        session: A session.
        viewer: Who asks.
        wave: Only what this wave found; None: all as one.
        template: Which diagram; None: the smallest that shows all there is.

    Raises:
        Forbidden: They are blinded in one of the stages.
        NotFound: There is no such wave.
    """
    require_sight(viewer)
    waves.require(session, viewer.review_id, wave)
    review = reviews.get_review(session, viewer.review_id)
    found = gathering.facts(session, viewer.review_id)
    reasons = review.exclusion_reasons
    return of_facts(
        found,
        reasons=reasons,
        wave=wave,
        template=template,
        title=review.title,
        as_of=review.last_seq,
    )


def of_facts(
    found: Sequence[RecordFacts],
    *,
    reasons: Sequence[str],
    wave: int | None,
    template: Template | None,
    title: str,
    as_of: int,
) -> ShownFlow:
    """Return the flow of these facts, with the diagram that shows it and what to know of it."""
    made = flow(found, wave=wave, reasons=reasons)
    chosen = template or made.template
    warnings = [*_warnings(made, chosen), *_unusable_outcomes(made, reasons)]
    return ShownFlow(made, chosen, title, as_of, warnings)


def _warnings(made: Flow, template: Template) -> list[Warned]:
    found = list[Warned]()
    if wrong := [one.name for one in made.invariants if not one.holds]:
        found.append(Warned(FlowWarning.DOES_NOT_ADD_UP, f"Not equal: {'; '.join(wrong)}."))
    fits = made.template
    hidden = [
        name
        for name, is_hidden in (
            ("previous studies", fits.is_updated and not template.is_updated),
            ("other methods", fits.has_other_methods and not template.has_other_methods),
        )
        if is_hidden
    ]
    if hidden:
        message = f"This diagram has no column for {' and '.join(hidden)}, and there are some."
        found.append(Warned(FlowWarning.COLUMN_HIDDEN, message))
    if n := made.n("other_method_results"):
        message = f"The CSV of the R package has no row for {n} records found by other methods."
        found.append(Warned(FlowWarning.NOT_IN_CSV, message))
    return found


_UNUSABLE = re.compile(
    r"\b(?:no|not|un\w*|without|lack\w*|missing|insufficient|in\w*)\b.*\b(?:outcome|data|results?)"
    r"|\b(?:outcomes?|data|results?)\b.*\b(?:not|un\w+|missing|lacking|insufficient)\b",
    re.IGNORECASE,
)


_OF_DESIGN = re.compile(
    r"\b(?:own|original|primary|empirical|new|qualitative|quantitative)\s+(?:\w+\s+)?data",
    re.IGNORECASE,
)
"""Without these a report is of another kind of study, which is a reason."""


def _unusable_outcomes(made: Flow, reasons: Sequence[str]) -> Iterator[Warned]:
    used = [
        part.label for key in ("dbr_excluded", "other_excluded") for part in made.boxes[key].parts
    ]
    for reason in dict.fromkeys([*reasons, *used]):
        if _OF_DESIGN.search(reason):
            continue
        if _UNUSABLE.search(reason) and re.search("outcome|data", reason, re.IGNORECASE):
            message = (
                f"{reason!r} sounds like unusable outcome data. MECIR C40: such a study is "
                "included, and the answer names what it does not report."
            )
            yield Warned(FlowWarning.C40, message)


def items(
    session: Session,
    *,
    viewer: Viewer,
    made: ShownFlow,
    key: str,
    part: str | None = None,
    cursor: Cursor,
    limit: int,
) -> tuple[Box, int, Slice[BoxItem]]:
    """Return a box of a flow that this person may see, how many it counts, and a page of these.

    Raises:
        NoBox: There is no such box, or no such part of it.
    """
    if (box := made.flow.boxes.get(key)) is None:
        known = ", ".join(made.flow.boxes)
        raise NoBox(f"The flow has no box {key!r}. It has {known}.")
    found = _part_of(box, part)
    page = sliced(found, _key, (str, int), cursor, limit)
    numbers = [item for item in page.items if isinstance(item, int)]
    entries = evidence.entries(session, viewer.review_id, key, numbers, up_to=made.as_of)
    titles = _titles(session, viewer.review_id, page.items)
    shown_items = page.map(
        lambda item: BoxItem(
            item, entries.get(item) if isinstance(item, int) else None, titles.get(item)
        )
    )
    return box, len(found), shown_items


def _titles(session: Session, review_id: ReviewId, items: Sequence[Item]) -> dict[Item, str | None]:
    """Return what the records and studies of a page are called now."""
    numbers = {one if isinstance(one, int) else one.report for one in items} - {0}
    records = select(Record.number, Record.title).where(
        Record.review_id == review_id, Record.number.in_(numbers)
    )
    of_records: dict[int, str] = {row.number: row.title for row in session.execute(records)}
    groups = [UUID(one.id) for one in items if isinstance(one, StudyKey) and one.id]
    studies = select(Study.id, Study.label).where(
        Study.review_id == review_id, Study.id.in_(groups)
    )
    of_studies = {str(row.id): row.label for row in session.execute(studies)} if groups else {}
    return {
        one: of_records.get(one)
        if isinstance(one, int)
        else of_studies.get(one.id)
        if one.id
        else of_records.get(one.report)
        for one in items
    }


def _part_of(box: Box, part: str | None) -> Sequence[Item]:
    if part is None:
        return box.items
    for one in box.parts:
        if one.label == part:
            return one.items
    named = ", ".join(repr(one.label) for one in box.parts) or "no parts"
    raise NoBox(f"This box has no part {part!r}. It has {named}.")


def _key(item: Item) -> StudyKey:
    return item if isinstance(item, StudyKey) else StudyKey.alone(item)
