import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats.entry import Entry, Kind, Prior
from tandem.records.formats.tagged.nbib import NBIB
from tandem.records.formats.tagged.ris import RIS
from unit.records.formats.tagged_lines import any_line, only, read, titles


def record(number: int) -> str:
    return f"TY  - JOUR\nTI  - Title {number}\nER  - \n"


def test_tags_in_lower_case() -> None:
    text = "ty  - JOUR\nti  - One\nau  - Lind, Bo\ner  - \n" + record(2)
    assert titles(RIS, text) == ["One", "Title 2"]
    assert only(RIS, text.partition("er  - ")[0]).authors == ("Lind, Bo",)


def test_a_file_that_lost_every_type() -> None:
    assert titles(RIS, "TI  - One\nER  - \n\nAU  - Lind, Bo\nTI  - Two\nER  - \n") == ["One", "Two"]
    assert RIS.begins("TI  - One\nAB  - but no end\n") is None


def test_editors_where_there_is_no_author() -> None:
    assert only(RIS, "TY  - BOOK\nTI  - T\nA2  - Ray, Em\nER  - ").authors == ("Ray, Em",)
    text = "TY  - CHAP\nTI  - T\nAU  - Lind, Bo\nA2  - Ray, Em\nER  - "
    assert only(RIS, text).authors == ("Lind, Bo",)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("TY  - JOUR", Kind.ARTICLE),
        ("TY  - CPAPER", Kind.CONFERENCE),
        ("TY  - UNPB", Kind.PREPRINT),
        ("TY  - THES", Kind.THESIS),
        ("TY  - GEN", None),
        ("TY  - ABST", None),
        ("TY  - JOUR\nJF  - bioRxiv", Kind.PREPRINT),
        ("TY  - GEN\nPB  - medRxiv", Kind.PREPRINT),
        ("TY  - JOUR\nM3  - Retracted Publication", Kind.RETRACTION),
        ("TY  - JOUR\nM3  - 10.1234/conference.5", Kind.ARTICLE),
        ("TY - BOOK", Kind.BOOK),
    ],
)
def test_kind(lines: str, kind: Kind | None) -> None:
    assert only(RIS, f"{lines}\nTI  - T\nER  - ").kind is kind


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["Journal Article"], Kind.ARTICLE),
        (["Journal Article", "Preprint"], Kind.PREPRINT),
        (["Published Erratum"], Kind.ERRATUM),
        (["Journal Article", "Retracted Publication"], Kind.RETRACTION),
        (["Congress"], Kind.CONFERENCE),
        (["Research Support, N.I.H., Extramural"], None),
        ([], None),
    ],
)
def test_kind_in_medline(types: list[str], kind: Kind | None) -> None:
    text = "PMID- 1\nTI  - T\n" + "".join(f"PT  - {type_}\n" for type_ in types)
    assert only(NBIB, text).kind is kind


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("N1  - ASReview_relevant\nN1  - ASReview_prior", (Prior("include"),)),
        ("N1  - A note.\nASReview_irrelevant", (Prior("exclude"),)),
        ("KW  - ASReview_irrelevant", (Prior("exclude"),)),
        ('N1  - RAYYAN-INCLUSION: {"Ann"=>"Included"}', (Prior("include", "Ann"),)),
        ('RN  - RAYYAN-INCLUSION: {"Ann"=>"Included"}', (Prior("include", "Ann"),)),
        ('AB  - RAYYAN-INCLUSION: {"Ann"=>"Included"}', ()),
    ],
)
def test_earlier_decisions_stand_in_the_notes(lines: str, found: tuple[Prior, ...]) -> None:
    assert only(RIS, f"TY  - JOUR\nTI  - T\n{lines}\nER  - ").priors == found


@given(st.lists(any_line.filter(lambda line: "-" not in line), max_size=8), st.booleans())
def test_a_mangled_record_never_loses_its_neighbours(mangled: list[str], ended: bool) -> None:
    bad = "TY  - JOUR\n" + "\n".join(mangled) + "\n" + "ER  - \n" * ended
    names = [
        item.title for item in read(RIS, record(1) + bad + record(2)) if isinstance(item, Entry)
    ]
    assert (names[0], names[-1]) == ("Title 1", "Title 2")


def test_fields_above_the_title_belong_to_a_record_that_lost_its_type() -> None:
    text = "Exported\nJF  - Rest\nVL  - 7\nT1  - One\nER  - \nJF  - Sleep\nT1  - Two\nER  - \n"
    found = [item for item in read(RIS, text) if isinstance(item, Entry)]
    assert [(item.title, item.journal) for item in found] == [("One", "Rest"), ("Two", "Sleep")]
    assert found[0].volume == "7"


def test_a_narrow_tag_after_a_list_is_a_tag_of_its_own() -> None:
    text = "TY  - JOUR\nTI  - T\nAU  - Lind, Bo\nKW - sleep\nmemory\nPMID - 31234567\nER  - "
    entry = only(RIS, text)
    assert entry.authors == ("Lind, Bo",)
    assert (entry.keywords, entry.pmid) == (("sleep", "memory"), "31234567")


def test_what_looks_like_a_narrow_tag_within_an_abstract_is_not() -> None:
    text = "TY  - JOUR\nTI  - T\nAB  - Scans:\nCT - we had none.\nER  - "
    assert only(RIS, text).abstract == "Scans: CT - we had none."


def test_ebscos_note_names_the_pubmed_number() -> None:
    note = f"Accession Number: 1. {'Subset: X. ' * 20}PMID: NLM31234567."
    assert only(RIS, f"TY  - JOUR\nTI  - T\nN1  - {note}\nER  - ").pmid == "31234567"
    prose = f"A note. {'It is long. ' * 20}See PMID: 31234567."
    assert only(RIS, f"TY  - JOUR\nTI  - T\nN1  - {prose}\nER  - ").pmid is None


def test_pages_that_are_none() -> None:
    text = "TY  - JOUR\nTI  - T\nSP  - No\nEP  - Pagination Specified\nER  - "
    assert only(RIS, text).pages is None


@pytest.mark.parametrize(
    ("keyword", "priors"),
    [
        ("Rayyan-Included", (Prior("include"),)),
        ("Covidence: irrelevant", (Prior("exclude"),)),
        ("ASReview_relevant", (Prior("include"),)),
        ("ASReview_prior", ()),
        ("Rayyan-label", ()),
    ],
)
def test_marks_of_other_tools_are_decisions_and_no_keywords(
    keyword: str, priors: tuple[Prior, ...]
) -> None:
    entry = only(RIS, f"TY  - JOUR\nTI  - T\nKW  - naps\nKW  - {keyword}\nER  - ")
    assert (entry.keywords, entry.priors) == (("naps",), priors)


def test_a_subject_called_like_a_tool_stays_a_keyword() -> None:
    entry = only(RIS, "TY  - JOUR\nTI  - T\nKW  - Rayyan software; Covidence\nER  - ")
    assert entry.keywords == ("Rayyan software", "Covidence")


@pytest.mark.parametrize(
    "text",
    [
        "TY  - JOUR\nTI  - A\nER  - TY  - JOUR\nTI  - B\nER  - ",
        "\u3000TY  - JOUR\n\u3000TI  - A\n\u3000ER  - \n\u200bTY  - JOUR\n\u200bTI  - B\n",
        "TY\xa0\xa0-\xa0JOUR\nTI\xa0\xa0-\xa0A\nER\xa0\xa0-\nTY  - JOUR\nTI  - B\nER\n",
        "ty  - JOUR\nti  - A\ner  - \nTy  - JOUR\nTi  - B\nEr  - \n",
    ],
)
def test_records_part_whatever_stands_around_their_tags(text: str) -> None:
    assert titles(RIS, text) == ["A", "B"]


@pytest.mark.parametrize(
    "line",
    [
        "N2  - 10.1000/abc_d",
        "L1  - https://doi-org.proxy.example.edu/10.1000/abc_d",
        "M2  - doi:10.1000/abc_d.",
        "UR  - http://dx.doi.org/10.1000%2Fabc_d",
        "DO  - 10.1000/abc\\_d",
    ],
)
def test_a_doi_wherever_it_stands(line: str) -> None:
    assert only(RIS, f"TY  - JOUR\nTI  - T\n{line}\nER  - ").doi == "10.1000/abc_d"
