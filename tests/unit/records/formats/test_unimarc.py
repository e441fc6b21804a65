from pymarc import Record

from tandem.records.formats.entry import Entry, Kind
from tandem.records.formats.marc import exchange as marc
from unit.records.formats.test_marc import BOOK, field, read_bytes, record


def one(made: Record, encoding: str = "utf-8") -> Entry:
    data = made.as_marc()
    if encoding != "utf-8":
        # The directory counts bytes; the reader takes fields in order where it does not fit.
        data = data.decode("utf-8").encode(encoding)
        data = data[:9] + b" " + data[10:]
    (entry,) = read_bytes(data)
    assert isinstance(entry, Entry)
    return entry


def test_a_book() -> None:
    entry = one(
        record(
            field("100", ("a", "20010203d1998    m  y0frey50      ba")),
            field("101", ("a", "fre")),
            field("200", ("a", "\x88Le \x89sommeil"), ("e", "une histoire"), ("f", "Ada Okafor")),
            field("210", ("a", "Paris"), ("d", "1998")),
            field("330", ("a", "On dort.")),
            field("606", ("a", "Sommeil"), ("x", "Histoire")),
            field("700", ("a", "Okafor"), ("b", "Ada")),
            field("702", ("a", "Lind"), ("b", "Bo")),
        )
    )
    assert (entry.title, entry.abstract) == ("Le sommeil: une histoire", "On dort.")
    assert entry.authors == ("Okafor, Ada",)
    assert (entry.year, entry.language, entry.kind) == (1998, "fre", Kind.BOOK)
    assert entry.keywords == ("Sommeil/Histoire",)


def test_a_field_200_beside_a_title_of_marc_21_changes_nothing() -> None:
    made = record(field("200", ("a", "No")), field("245", ("a", "Yes")), leader=BOOK)
    assert one(made).title == "Yes"


def test_windows_cyrillic_is_distinguished_from_marc_8() -> None:
    made = record(field("245", ("a", "Сон и память")), field("100", ("a", "Иванов, Борис")))
    entry = one(made, "cp1251")
    assert (entry.title, entry.authors) == ("Сон и память", ("Иванов, Борис",))


def test_a_diacritic_of_marc_8_is_still_read() -> None:
    assert marc.begins(b"") is None
    data = record(field("245", ("a", "Caf#e"))).as_marc().replace(b"#", b"\xe2")
    (entry,) = read_bytes(data[:9] + b" " + data[10:])
    assert isinstance(entry, Entry)
    assert entry.title == "Café"
