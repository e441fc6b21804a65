import pytest

from tandem.records.duplicates.names import read_names, same_first
from tandem.records.duplicates.venues import (
    read_journal,
    read_numbers,
    read_pages,
    same_journal,
    same_numbers,
    same_pages,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("137-40", "137-140", True),
        ("1034-1042", "1034", True),
        ("S259", "259-260", True),
        ("e12", "E12", True),
        ("527-32.e1", "527-532.e1", True),
        ("1217-24; discussion 1224-5", "1217-1225", True),
        ("230-5, 246-51, 233-8", "233-238+230-235", True),
        ("137-140", "152-160", False),
        ("S12", "S15", False),
        ("678-684", "676-682", None),  # one article's pages, counted otherwise
        ("1-12", "1-9", None),  # every article of an online journal begins there
        ("e43268", "1-9", None),
        ("A71", "S71", None),
        (None, "137", None),
        ("no pagination", "137", None),
    ],
)
def test_pages(one: str | None, other: str | None, same: bool | None) -> None:
    assert same_pages(read_pages(one), read_pages(other)) is same
    assert same_pages(read_pages(other), read_pages(one)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("57 Suppl", "57", True),
        ("60 (1 Supplement 1)", "60", True),
        ("Vol. 12", "12", True),
        ("12", "13", False),
        ("2018", "12", None),  # the year
        ("XII", "12", None),
        (None, "12", None),
    ],
)
def test_volumes(one: str | None, other: str | None, same: bool | None) -> None:
    assert same_numbers(read_numbers(one, year=2018), read_numbers(other, year=2018)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("J Pathol", "The Journal of Pathology", True),
        ("Br J Surg", "British Journal of Surgery", True),
        ("JAMA", "JAMA : the journal of the American Medical Association", True),
        ("NEJM", "New England Journal of Medicine", True),
        ("Oncology (Williston Park)", "Oncology", True),
        ("Jthoraccardiovascsurg", "Journal of Thoracic & Cardiovascular Surgery", True),
        ("Breast-Cancer-Res-Treat", "Breast Cancer Research and Treatment", True),
        ("Diabetes. Conference: 70th Scientific Sessions", "Diabetes", True),
        ("Chest", "Journal of Pathology", False),
        ("Annals of Surgery", "Journal of Pathology", False),
        ("Diabetes", "Diabetes Care", None),
        ("中华护理杂志", "Chinese Journal of Nursing", None),
        (None, "Chest", None),
    ],
)
def test_journals(one: str | None, other: str | None, same: bool | None) -> None:
    assert same_journal(read_journal(one), read_journal(other)) is same
    assert same_journal(read_journal(other), read_journal(one)) is same


@pytest.mark.parametrize(
    "name", ["Lim, Sue M.", "Lim SM", "LIM SM", "Lim S.M.", "Sue Lim", "S. M. Lim", "Lim", "Lím, S"]
)
def test_one_person_in_many_spellings(name: str) -> None:
    assert same_first(read_names(["Lim, S. M."]), read_names([name])) is True


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["van den Berg, P."], ["van den Berg P"], True),
        (["Müller, K."], ["Mueller K"], True),
        (["Wei Wang"], ["Wang, Wei"], True),
        (["Smith JW, 2nd"], ["Smith JW"], True),
        (["Bajaj H. S.Al-Jabri B.Verma S."], ["Bajaj, H.", "Verma, S."], True),
        (["Lim, S."], ["Sanders, L."], False),
        (["Wang, T."], ["Wang, J."], None),
        (["Lim, S.", "Sanders, L."], ["Sanders, L.", "Lim, S."], None),
        (["Anonymous"], ["Lim, S."], None),
        (["张伟"], ["Zhang, Wei"], None),
        (["张伟"], ["张伟"], True),
        ([], ["Lim, S."], None),
    ],
)
def test_first_authors(one: list[str], other: list[str], same: bool | None) -> None:
    assert same_first(read_names(one), read_names(other)) is same
    assert same_first(read_names(other), read_names(one)) is same
