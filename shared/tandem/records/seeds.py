"""Studies that a team knows before it screens, and which of the review's records they are."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates.titles import plain_title
from tandem.records.formats import normalise
from tandem.records.models import Record


class Clue(NamedTuple):
    """What a study is recognised by; `value` in the form in which records are compared."""

    kind: Literal["doi", "pmid", "title"]
    value: str


def parse(given: str) -> Clue | None:
    """Return what somebody names a study by; None where it has neither letter nor digit.

    A bare number is a PubMed number. What is neither that nor a DOI, bare, labelled or as an
    address, is a title.
    """
    if doi := normalise.doi(given):
        return Clue("doi", doi)
    text = normalise.clean(given)
    if pmid := normalise.pmid(text):
        return Clue("pmid", pmid)
    title = plain_title(text)
    return Clue("title", title) if title else None


def distinct(given: Sequence[str]) -> list[str]:
    """Return what names a study, trimmed, each study once, as it was named first."""
    named: dict[Clue, str] = {}
    for text in given:
        if clue := parse(text):
            named.setdefault(clue, text.strip())
    return list(named.values())


def find(
    session: Session, review_id: ReviewId, given: Sequence[str]
) -> dict[str, RecordNumber | None]:
    """Return for each study the record that it is, in the order given; None if there is none.

    A title must be the same but for case, accents and punctuation: without a shared identifier,
    titles that are merely alike are often two works. What a linked duplicate matches is the
    record that it is shown as; of several records it is the one with the lowest number.
    """
    clues = {text: parse(text) for text in given}
    wanted = {clue for clue in clues.values() if clue}
    if not wanted:
        return dict.fromkeys(given)
    by_title = any(clue.kind == "title" for clue in wanted)
    shown = Record.shown_as
    query = select(shown, Record.doi, Record.pmid, Record.title).where(
        Record.review_id == review_id
    )
    if not by_title:
        query = query.where(
            or_(Record.doi.in_(_of("doi", wanted)), Record.pmid.in_(_of("pmid", wanted)))
        )
    found: dict[tuple[str, str | None], RecordNumber] = {}
    for number, doi, pmid, title in session.execute(query):
        plain = plain_title(title) if by_title else None
        for clue in (("doi", doi), ("pmid", pmid), ("title", plain)):
            if clue in wanted:
                found[clue] = min(found.get(clue, number), number)
    return {text: found.get(clue) if clue else None for text, clue in clues.items()}


def missing_titles(found: Mapping[str, RecordNumber | None]) -> list[str]:
    """Return those of the studies that are given by their title and are no record here."""
    missing = (text for text, number in found.items() if number is None)
    return [text for text in missing if (clue := parse(text)) and clue.kind == "title"]


def _of(kind: str, clues: set[Clue]) -> list[str]:
    return [clue.value for clue in clues if clue.kind == kind]
