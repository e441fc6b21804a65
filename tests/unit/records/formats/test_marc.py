import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymarc import Field, Indicators, Record, Subfield, record_to_xml

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.marc import exchange as marc
from tandem.records.formats.marc.fields import MARCXML
from tandem.records.formats.pieces import opened
from unit.records.formats.tagged_lines import any_text, read

ARTICLE = "00000naa a2200000 a 4500"
BOOK = "00000nam a2200000 a 4500"
Values = tuple[str, str]


def field(tag: str, *subfields: Values, indicators: str = "  ") -> Field:
    return Field(
        tag=tag,
        indicators=Indicators(*indicators),
        subfields=[Subfield(code=code, value=value) for code, value in subfields],
    )


def record(*fields: Field, leader: str = BOOK) -> Record:
    made = Record(leader=leader)
    made.fields.extend(fields)
    return made


def titled(title: str) -> bytes:
    return bytes(record(field("245", ("a", title))).as_marc())


def as_xml(made: Record) -> str:
    return str(record_to_xml(made), "utf-8")  # type: ignore[no-untyped-call]  # pymarc gives no types


def read_bytes(data: bytes) -> list[Entry | Rejection]:
    at = marc.begins(data)
    if at is None:
        return []
    file = opened(marc, data)
    found = list(file.entries())
    assert len(found) == file.cut.total > 0
    return found


def titles(data: bytes) -> list[str | None]:
    return [item.title if isinstance(item, Entry) else None for item in read_bytes(data)]


def both(*fields: Field, leader: str = BOOK) -> Entry:
    """Return what is read of a record, which is the same in both forms."""
    made = record(*fields, leader=leader)
    (binary,) = read_bytes(made.as_marc())
    (marked_up,) = read(MARCXML, as_xml(made))
    assert isinstance(binary, Entry)
    assert isinstance(marked_up, Entry)
    known = [name for name in Entry.__slots__ if name != "raw"]
    assert [getattr(binary, name) for name in known] == [getattr(marked_up, name) for name in known]
    return binary


TITLE = field("245", ("a", "On rest"))
HOST = field("773", ("t", "Journal of rest"), ("g", "Vol. 7, no. 2 (2019), p. 101-109"))


def test_article_is_read_whole() -> None:
    entry = both(
        Field(tag="001", data="ab12"),
        Field(tag="008", data="190301s2018    xxu           000 0 eng d"),
        field("024", ("a", "10.1234/Rest.7"), ("2", "doi"), indicators="7 "),
        field("024", ("a", "31234567"), ("2", "pmid"), indicators="7 "),
        field("100", ("a", "Okafor, Ada,"), ("d", "1970-"), ("e", "author.")),
        field("245", ("a", "Sleep and memory :"), ("b", "a survey /"), ("c", "Ada Okafor.")),
        field("264", ("a", "Oslo :"), ("b", "A Press,"), ("c", "[2019]"), indicators=" 1"),
        field("520", ("a", "People sleep.")),
        field("650", ("a", "Sleep"), ("x", "Physiology."), indicators=" 0"),
        field("653", ("a", "older adults"), ("a", "rest")),
        field("700", ("a", "Lind, Bo."), ("4", "aut")),
        field("700", ("a", "Ray, Eve"), ("e", "translator")),
        HOST,
        field("856", ("u", "https://example.org/a"), indicators="40"),
        leader=ARTICLE,
    )
    assert (entry.title, entry.abstract) == ("Sleep and memory: a survey", "People sleep.")
    assert entry.authors == ("Okafor, Ada", "Lind, Bo")
    assert (entry.year, entry.journal) == (2019, "Journal of rest")
    assert (entry.volume, entry.issue, entry.pages) == ("7", "2", "101-109")
    assert (entry.doi, entry.pmid) == ("10.1234/rest.7", "31234567")
    assert entry.url == "https://example.org/a"
    assert entry.keywords == ("Sleep/Physiology", "older adults", "rest")
    assert (entry.language, entry.ref, entry.kind) == ("eng", "ab12", Kind.ARTICLE)
    assert entry.raw.startswith("=LDR ")
    assert "=650  \\0$aSleep$xPhysiology." in entry.raw


@pytest.mark.parametrize(
    ("subfields", "title"),
    [
        ([("a", "Rest /"), ("c", "by A.")], "Rest"),
        ([("a", "Rest :"), ("b", "a history /")], "Rest: a history"),
        ([("a", "Rest."), ("n", "Part 2,"), ("p", "Naps /")], "Rest. Part 2, Naps"),
        ([("a", "Rest"), ("b", "a history")], "Rest: a history"),
        ([("a", "Rest"), ("h", "[electronic resource] :"), ("b", "naps")], "Rest: naps"),
        ([("a", "Rest ="), ("b", "Ruhe /")], "Rest = Ruhe"),
        ([("a", "Is rest enough?")], "Is rest enough?"),
    ],
)
def test_title_loses_the_signs_between_its_parts(subfields: list[Values], title: str) -> None:
    assert both(field("245", *subfields)).title == title


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("Lind, Bo, 1950-", "Lind, Bo"),
        ("Lind, Bo, 1950-2001.", "Lind, Bo"),
        ("Lind, B. C.", "Lind, B. C."),
        ("Lind, Bo, b. 1950", "Lind, Bo"),
        ("Lind, Bo, editor.", "Lind, Bo"),
        ("Lind, Bo.", "Lind, Bo"),
        ("Müller-Lüdenscheidt, Ed", "Müller-Lüdenscheidt, Ed"),
    ],
)
def test_name_loses_years_and_roles(name: str, read_as: str) -> None:
    assert both(TITLE, field("100", ("a", name))).authors == (read_as,)


def test_body_made_it_where_no_person_did() -> None:
    body = field("110", ("a", "World Rest Importer."), ("b", "Naps."))
    assert both(TITLE, body).authors == ("World Rest Importer. Naps",)
    assert both(TITLE, body, field("700", ("a", "Lind, Bo"))).authors == ("Lind, Bo",)


@pytest.mark.parametrize(
    ("place", "volume", "issue", "pages"),
    [
        ("Vol. 7, no. 2 (Mar. 2019), p. 101-109", "7", "2", "101-109"),
        ("7 (2019), 2, Seite 101-109", "7", None, "101-109"),
        ("volume:7", "7", None, None),
        ("7(2), pp. 101-109", "7", "2", "101-109"),
        ("Bd. 7 (2019), Heft 2, S. 101-109", "7", "2", "101-109"),
        ("2019, p. 5", None, None, "5"),
        ("", None, None, None),
    ],
)
def test_place_in_the_host_is_taken_apart(
    place: str, volume: str | None, issue: str | None, pages: str | None
) -> None:
    entry = both(TITLE, field("773", ("t", "Journal"), ("g", place)), leader=ARTICLE)
    assert (entry.volume, entry.issue, entry.pages) == (volume, issue, pages)


def test_place_in_pieces_of_its_own_is_put_together() -> None:
    pieces = [("g", "volume:7"), ("g", "year:2019"), ("g", "number:2"), ("g", "pages:101-109")]
    entry = both(TITLE, field("773", *pieces), HOST, leader=ARTICLE)
    assert (entry.volume, entry.issue, entry.pages) == ("7", "2", "101-109")
    assert (entry.year, entry.journal) == (2019, "Journal of rest")


@pytest.mark.parametrize(
    ("fields", "leader", "kind"),
    [
        ([], BOOK, Kind.BOOK),
        ([field("502", ("a", "Thesis (Ph. D.)"))], BOOK, Kind.THESIS),
        ([field("655", ("a", "Hochschulschrift"))], BOOK, Kind.THESIS),
        ([field("655", ("a", "Konferenzschrift"))], BOOK, Kind.CONFERENCE),
        ([HOST], ARTICLE, Kind.ARTICLE),
        ([field("773", ("t", "A book"), ("z", "9780000000000"))], ARTICLE, Kind.CHAPTER),
        ([], "00000njm a2200000 a 4500", Kind.OTHER),
        ([], "00000nas a2200000 a 4500", None),
    ],
)
def test_kind_is_recognised_by_leader_and_notes(
    fields: list[Field], leader: str, kind: Kind | None
) -> None:
    assert both(TITLE, *fields, leader=leader).kind is kind


def test_doi_may_stand_in_an_address() -> None:
    assert both(TITLE, field("856", ("u", "https://doi.org/10.1234/A"))).doi == "10.1234/a"


def test_languages_run_together_are_parted() -> None:
    assert both(TITLE, field("041", ("a", "engfre"))).language == "eng; fre"
    assert both(TITLE, field("041", ("a", "ger"), ("a", "eng"))).language == "ger; eng"
    assert both(TITLE, Field(tag="008", data="|" * 40)).language is None


def test_marc_8_is_read() -> None:
    data = titled("xxxx").replace(b"xxxx", b"\xe2e\xe2e").replace(b"nam a22", b"nam  22")
    assert titles(data) == ["éé"]


def test_utf8_that_the_leader_keeps_quiet_about_is_read() -> None:
    assert titles(titled("Été").replace(b"nam a22", b"nam  22")) == ["Été"]


def test_bytes_that_are_not_utf8_spoil_only_themselves() -> None:
    assert titles(titled("Rxst").replace(b"Rxst", b"R\xffst")) == ["R\ufffdst"]


def test_wrong_numbers_in_the_leader_do_no_harm() -> None:
    data = titled("One")
    for wrong in (b"00001" + data[5:], b"99999" + data[5:], data[:12] + b"99999" + data[17:]):
        assert titles(wrong + titled("Two")) == ["One", "Two"]


def test_wrong_offsets_do_no_harm() -> None:
    data = titled("One")
    wrong = data[:27] + b"999900000" + data[36:]
    assert titles(wrong + titled("Two")) == ["One", "Two"]


def test_record_without_its_end_sign_is_reported_and_the_next_is_read() -> None:
    assert titles(titled("One")[:-1] + titled("Two")) == [None, "Two"]
    assert titles(titled("One")[:40] + titled("Two")) == [None, "Two"]
    assert titles(titled("One") + titled("Two")[:-5]) == ["One", None]


def test_stray_end_sign_within_a_record_is_recognised_by_its_length() -> None:
    assert titles(titled("On\x1de") + titled("Two"))[-1] == "Two"
    assert len(read_bytes(titled("On\x1de") + titled("Two"))) == 2


def test_blank_between_records_is_passed_over() -> None:
    assert titles(b"\xef\xbb\xbf" + titled("One") + b"\r\n" + titled("Two") + b"\n\x1a") == [
        "One",
        "Two",
    ]


def test_directory_that_names_the_same_bytes_again_and_again_is_not_followed() -> None:
    entry = b"245999900000"
    body = b"00\x1fa" + b"x" * 9_995 + b"\x1e\x1d"
    data = b"00000nam a2200000 a 4500" + entry * 7_000 + b"\x1e" + body
    assert titles(data + titled("Two")) == [None, "Two"]


@pytest.mark.parametrize(
    "data",
    [
        b"00123nam a2200000 a 4500 is how a leader looks",
        b"12345,A title,An abstract\n12346,B,C\n",
        b"1\x1e2\x1f3",
        b"",
        b"TY  - JOUR\nTI  - Rest\x1e\x1f\nER  - \n",
    ],
)
def test_what_has_no_leader_or_no_signs_is_not_taken(data: bytes) -> None:
    assert marc.begins(data) is None
    assert read_bytes(data) == []


def test_formats_are_recognised_by_the_content() -> None:
    assert reading.read(titled("One")).format == "marc"
    assert reading.read(as_xml(record(TITLE)).encode()).format == "marcxml"


def test_marcxml_in_a_catalogues_answer_is_read() -> None:
    inner = as_xml(record(TITLE))
    prefixed = inner.replace("</", "</m:").replace("<", "<m:").replace("<m:/m:", "</m:")
    for answer in (
        f"<zs:records><zs:record><zs:recordSchema>x</zs:recordSchema><zs:recordData>{inner}"
        "</zs:recordData></zs:record></zs:records>",
        f"<records><record><header><identifier>1</identifier></header><metadata>{prefixed}"
        "</metadata></record></records>",
        f"<collection>\n{inner}</collection>",
    ):
        (entry,) = read(MARCXML, answer)
        assert isinstance(entry, Entry)
        assert entry.title == "On rest"


def test_marcxml_without_attributes_or_with_foreign_elements_is_read_as_far_as_it_goes() -> None:
    text = (
        "<record><leader>short</leader><controlfield>1</controlfield><datafield><subfield>x"
        '</subfield></datafield><datafield tag="245"><subfield code="a">Rest</subfield></datafield>'
        '<datafield tag="001"/><controlfield tag="245">odd</controlfield><extra/></record>'
    )
    (entry,) = read(MARCXML, text)
    assert isinstance(entry, Entry)
    assert entry.title == "Rest"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=3), st.binary(max_size=200))
def test_mangled_record_never_loses_its_neighbours(pieces: list[bytes], junk: bytes) -> None:
    data = bytearray(titled("Middle record"))
    for number, piece in enumerate(pieces):
        data[10 + 15 * number : 10 + 15 * number + len(piece)] = piece
    found = titles(titled("First") + bytes(data) + titled("Last"))
    assert found[0] == "First"
    assert found[-1] == "Last"
    assert titles(titled("First") + junk)[0] == "First"
    read_bytes(junk)
    read_bytes(b"00024nam a2200024 a 4500" + junk + b"\x1e\x1f\x1d")


@given(any_text)
def test_any_text_within_marcxml_is_read_or_rejected(text: str) -> None:
    one = as_xml(record(TITLE))
    found = read(MARCXML, one + one.replace("On rest", text) + one)
    assert isinstance(found[0], Entry)
    assert isinstance(found[-1], Entry)
    read(MARCXML, text)


@pytest.mark.parametrize("cut", [b"\x1b", b"\x1b$", b"\x1b("])
def test_an_escape_that_is_cut_off_costs_no_record(cut: bytes) -> None:
    # In the place of as many letters, so that all lengths stay right; the leader says MARC-8.
    made = titled("On rest" + "." * len(cut)).replace(b"." * len(cut), cut)
    (found,) = read_bytes(made[:9] + b" " + made[10:])
    assert isinstance(found, Entry)
    assert found.title is not None
    assert found.title.startswith("On rest")
