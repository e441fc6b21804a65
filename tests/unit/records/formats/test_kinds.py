import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import kinds
from tandem.records.formats.entry import Kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        *((word, Kind.ARTICLE) for word in ("Article", "journal-article", "Review", "Letter")),
        *((word, Kind.ARTICLE) for word in ("JOUR", "ScholarlyArticle", "Clinical Trial")),
        *((word, Kind.CONFERENCE) for word in ("Conference Paper", "CPAPER", "Meeting Abstract")),
        *((word, Kind.CONFERENCE) for word in ("proceedings-article", "Journal: Meeting")),
        *((word, Kind.PREPRINT) for word in ("Preprint", "Posted Content", "UNPB", "preprints")),
        *((word, Kind.CHAPTER) for word in ("Book, Section", "incollection", "Book Chapter")),
        *((word, Kind.BOOK) for word in ("Book", "Edited Book", "BOOK", "monograph")),
        *((word, Kind.THESIS) for word in ("Thesis/Dissertation", "PhD Thesis", "THES")),
        *((word, Kind.REPORT) for word in ("Report", "RPRT", "techreport", "Government Document")),
        *((word, Kind.TRIAL) for word in ("Trial registry record", "Clinical trial registration")),
        *((word, Kind.ERRATUM) for word in ("Erratum", "Published Erratum", "Correction")),
        *((word, Kind.RETRACTION) for word in ("Retracted Publication", "Retraction")),
        *((word, Kind.OTHER) for word in ("Patent", "Web Page", "dataset", "Other", "ART")),
        *((word, None) for word in ("", "Generic", "GEN", "Research Support, N.I.H.", "12")),
        *((word, None) for word in ("10.1/journal.5", "https://example.org/book", "x" * 9**5)),
    ],
)  # fmt: skip
def test_kind(words: str, kind: Kind | None) -> None:
    assert kinds.kind(words) is kind


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (("Journal Article", "Retracted Publication"), Kind.RETRACTION),
        (("Published Erratum", "Journal Article"), Kind.ERRATUM),
        (("Journal Article", "Preprint"), Kind.PREPRINT),
        (("Video-Audio Media", "Journal Article"), Kind.ARTICLE),
        (("Reports - Research; Journal Articles",), Kind.ARTICLE),
        ((), None),
    ],
)
def test_of_several_types_the_one_that_tells_most(
    types: tuple[str, ...], kind: Kind | None
) -> None:
    assert kinds.of(types) is kind


@pytest.mark.parametrize(
    ("type_", "source", "kind"),
    [
        ("JOUR", "medRxiv", Kind.PREPRINT),
        ("", "bioRxiv : the preprint server for biology", Kind.PREPRINT),
        ("GEN", "Research Square", Kind.PREPRINT),
        ("JOUR", "arXiv preprint arXiv:1901.00001", Kind.PREPRINT),
        ("JOUR", "Proceedings LXXXIV", Kind.ARTICLE),
        ("JOUR", "Lancet", Kind.ARTICLE),
        ("Published Erratum", "medRxiv", Kind.ERRATUM),
    ],
)
def test_what_a_preprint_server_has_is_a_preprint(type_: str, source: str, kind: Kind) -> None:
    assert kinds.of([type_], [source]) is kind


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert kinds.kind(text) in {None, *Kind}
