"""Numbers of trial registries are identifiers of their own."""

import pytest

from tandem.records.formats import reading, registries
from tandem.records.formats.entry import Entry, Kind


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("NCT01234567", "NCT01234567"),
        ("nct01234567", "NCT01234567"),
        ("NCT 01234567", "NCT01234567"),
        ("https://clinicaltrials.gov/study/NCT01234567", "NCT01234567"),
        ("https://clinicaltrials.gov/show/nct01234567?term=x", "NCT01234567"),
        ("ISRCTN12345678", "ISRCTN12345678"),
        ("ACTRN12600000000001", "ACTRN12600000000001"),
        ("EUCTR2004-000446-20-GB", "EUCTR2004-000446-20"),
        ("EudraCT number: 2004-000446-20", "EUCTR2004-000446-20"),
        ("2004-000446-20", "EUCTR2004-000446-20"),
        ("CTIS2022-500014-26-00", "EUCTR2022-500014-26"),
        ("ChiCTR2000029308", "ChiCTR2000029308"),
        ("ChiCTR-IOR-17013273", "ChiCTR-IOR-17013273"),
        ("ChiCTRIOR17013273", "ChiCTR-IOR-17013273"),
        ("DRKS00004156", "DRKS00004156"),
        ("JPRN-UMIN000012345", "UMIN000012345"),
        ("JPRN-jRCTs031190123", "jRCTs031190123"),
        ("CTRI/2010/091/000123", "CTRI/2010/091/000123"),
        ("PACTR202001234567890", "PACTR202001234567890"),
        ("RBR-6fbdqx", "RBR-6fbdqx"),
        ("NTR1234", "NTR1234"),
        ("IRCT138811101414N1", "IRCT138811101414N1"),
        ("TCTR20200101001", "TCTR20200101001"),
        ("KCT0001234", "KCT0001234"),
    ],
)
def test_a_number_is_known_however_it_is_written(written: str, number: str) -> None:
    assert registries.own(written) == number


@pytest.mark.parametrize(
    "text", ["NCT123", "NTR", "2004-000446", "10.1000/nct01234567x", "a NCT01234567 trial", ""]
)
def test_what_only_looks_like_a_number_or_is_more_than_one_is_not_a_records_own(text: str) -> None:
    assert registries.own(text) is None


def test_an_abstract_that_names_many_trials_has_none_of_them() -> None:
    few = "Registered as NCT01234567 and ISRCTN12345678."
    many = " ".join(f"NCT0000000{n}" for n in range(4))
    assert registries.numbers((), (), (few,)) == ("NCT01234567", "ISRCTN12345678")
    assert registries.numbers((), (), (many,)) == ()
    assert registries.numbers((), (many,), ()) == tuple(f"NCT0000000{n}" for n in range(4))


def only(text: str) -> Entry:
    (entry,) = reading.read(text.encode()).entries
    assert isinstance(entry, Entry)
    return entry


def test_the_own_number_of_a_trial_comes_before_those_of_other_registers() -> None:
    entry = only(
        "TrialID,Public title,Secondary IDs,web address\n"
        "ISRCTN12345678,A trial,NCT01234567;2004-000446-20,https://www.isrctn.com/ISRCTN12345678\n"
    )
    assert entry.registry_ids == ("ISRCTN12345678", "NCT01234567")
    assert entry.kind is Kind.TRIAL


def test_an_article_keeps_its_kind_and_the_number_that_medline_gives() -> None:
    entry = only(
        "PMID- 1\nTI  - A trial\nPT  - Journal Article\nSI  - ClinicalTrials.gov/NCT01234567\n"
    )
    assert entry.registry_ids == ("NCT01234567",)
    assert entry.kind is Kind.ARTICLE
