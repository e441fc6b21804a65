import pytest

from tandem.records.duplicates.matching import Identity, relation
from tandem.records.duplicates.relations import Relation
from tandem.records.formats.entry import Kind
from unit.records.duplicates.identities import DOI, OTHER_DOI, TITLE, bare, record


def between(one: Identity, other: Identity) -> Relation | None:
    found = relation(one, other)
    assert relation(other, one) is found
    return found


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Erratum: " + TITLE, Relation.ERRATUM),
        ("Erratum to: " + TITLE.upper(), Relation.ERRATUM),
        ("Author Correction: " + TITLE, Relation.ERRATUM),
        ("Correction to: “" + TITLE + "” (vol 41, pg 152, 2018)", Relation.ERRATUM),
        (TITLE + " [Published erratum]", Relation.ERRATUM),
        ("Retraction of: " + TITLE, Relation.RETRACTION),
        ("RETRACTED: " + TITLE, Relation.RETRACTION),
        (TITLE + ": study protocol", Relation.PROTOCOL),
        (TITLE + ": a protocol for a multicentre study", Relation.PROTOCOL),
        (TITLE, None),
        ("Erratum: Meals in hospital canteens and what they cost", None),
        ("Erratum", None),
    ],
)
def test_a_notice_names_the_article(title: str, expected: Relation | None) -> None:
    notice = record(title=title, pages="301", doi=OTHER_DOI, authors=())
    assert between(record(doi=DOI), notice) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.ERRATUM, Relation.ERRATUM),
        (Kind.RETRACTION, Relation.RETRACTION),
        (Kind.PREPRINT, Relation.PREPRINT),
        (Kind.CONFERENCE, Relation.CONFERENCE),
        (Kind.ARTICLE, None),
    ],
)
def test_kinds_tell_too(kind: Kind, expected: Relation | None) -> None:
    other = record(kind=kind, doi=OTHER_DOI, pages="301")
    assert between(record(doi=DOI, kind=Kind.ARTICLE), other) is expected


def test_other_people_wrote_another_work() -> None:
    preprint = record(kind=Kind.PREPRINT, authors=("Roe, A.",))
    assert between(record(kind=Kind.ARTICLE), preprint) is None


def test_two_notices_are_not_about_each_other() -> None:
    notice = record(title="Erratum: " + TITLE)
    assert between(notice, notice) is None


def test_surgery_that_corrects_is_no_notice() -> None:
    title = "of club foot in children under ten years"
    assert between(bare(title="Correction " + title), bare(title=title[3:])) is None
