import gzip
import io
import stat
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.records.formats import archive, reading
from tandem.records.formats.archive import UnreadableArchive
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import EmptyFile, UnknownFormat

RIS = b"TY  - JOUR\nTI  - From RIS\nER  - \n"
CSV = b"title,year\nFrom CSV,2000\n"

EXPORT = "export the records as RIS from where they are kept"


def zipped(**members: bytes) -> bytes:
    return packed({name.replace("__", "."): data for name, data in members.items()})


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members_of:
        for name, data in members.items():
            members_of.writestr(name, data)
    return file.getvalue()


def read(data: bytes) -> list[Entry | Rejection]:
    result = reading.read(data)
    found = list(result.entries)
    assert result.total == len(found)
    rejected = [(at, item) for at, item in enumerate(found, 1) if isinstance(item, Rejection)]
    assert [at for at, _ in rejected] == [item.position for _, item in rejected]
    return found


def texts_of(data: bytes) -> list[str]:
    return [item.title if isinstance(item, Entry) else item.reason for item in read(data)]


def test_files_are_read_by_the_order_of_their_names() -> None:
    data = packed({"b.ris": RIS, "a.csv": CSV, "sub/c.zzz": RIS})
    assert reading.read(data).format == "zip"
    assert texts_of(data) == ["From CSV", "From RIS", "From RIS"]


def test_what_programs_put_in_beside_is_passed_over() -> None:
    beside = ("__MACOSX/._a.ris", ".DS_Store", "x/.hidden", "Thumbs.db", "x/desktop.ini", "empty/")
    assert texts_of(packed({**dict.fromkeys(beside, b"junk"), "a.ris": RIS})) == ["From RIS"]


def test_rejections_name_their_file_and_count_on() -> None:
    bad = b"TY  - JOUR\nKW  - x\nER  - \n"
    found = read(packed({"a.ris": RIS + bad, "b.ris": bad + RIS}))
    assert [(item.position, item.reason) for item in found if isinstance(item, Rejection)] == [
        (2, "a.ris: no title and no abstract"),
        (3, "b.ris: no title and no abstract"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (
            "b.pdf",
            b"%PDF-1.7 ...",
            f"b.pdf: no records: it looks like a PDF: {EXPORT}.",
        ),
        (
            "b.txt",
            b"hello",
            f"b.txt: no records: it looks like text without field tags: {EXPORT}; it begins with "
            "'hello'.",
        ),
        ("b.ris", b"", "b.ris: The file is empty."),
        ("b.csv", b"title,year\n", "b.csv: there is no record in it"),
        ("b.zip", zipped(x__ris=RIS), "b.zip: an archive within the archive; send it by itself"),
        (
            "b.gz",
            gzip.compress(RIS, mtime=0),
            "b.gz: an archive within the archive; send it by itself",
        ),
        ("../b.ris", RIS, "../b.ris: its path leads out of the archive"),
        ("/etc/b.ris", RIS, "/etc/b.ris: its path leads out of the archive"),
        ("x/../../b.ris", RIS, "x/../../b.ris: its path leads out of the archive"),
        ("C:\\b.ris", RIS, "C:\\b.ris: its path leads out of the archive"),
    ],
)
def test_a_file_that_is_not_read_is_said(name: str, data: bytes, reason: str) -> None:
    found = texts_of(packed({"a.ris": RIS, name: data, "zz.ris": RIS}))
    assert sorted(found) == sorted(["From RIS", reason, "From RIS"])


def test_links_and_locked_files_are_said() -> None:
    link = zipfile.ZipInfo("b.ris")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr("a.ris", RIS)
        members.writestr(link, "/etc/passwd")
    assert texts_of(file.getvalue()) == ["From RIS", "b.ris: a link, not a file"]

    locked = bytearray(packed({"a.ris": RIS}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert texts_of(bytes(locked)) == ["a.ris: locked with a password"]


def test_a_damaged_file_costs_no_other() -> None:
    data = bytearray(packed({"a.ris": RIS * 9, "b.ris": RIS}))
    at = data.index(b"a.ris") + len("a.ris") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    first, last = texts_of(bytes(data))
    assert first.startswith("a.ris: cannot be unpacked")
    assert last == "From RIS"


def test_an_archive_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed({"a.ris": RIS, "b.ris": b"0" * 1_000_000})
    monkeypatch.setattr(archive, "LARGEST", 500_000)
    with pytest.raises(UnreadableArchive, match="at most 500,000 are read"):
        reading.read(bomb)


def test_a_file_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_MEMBER", 500_000)
    assert texts_of(packed({"a.ris": RIS, "b.ris": b"0" * 1_000_000})) == [
        "From RIS", "b.ris: larger than 500,000 bytes"
    ]  # fmt: skip
    with pytest.raises(UnreadableArchive, match="more than 500,000"):
        reading.read(gzip.compress(b"0" * 1_000_000))


def test_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    with pytest.raises(UnreadableArchive, match="holds 3 files"):
        reading.read(zipped(a=RIS, b=RIS, c=RIS))


def test_a_gzip_in_a_gzip_is_reported() -> None:
    with pytest.raises(UnreadableArchive, match="another gzip archive in it"):
        reading.read(gzip.compress(gzip.compress(RIS)))


def test_a_gzip_is_what_it_packs() -> None:
    assert reading.read(gzip.compress(RIS)).format == "ris"
    assert reading.read(gzip.compress(CSV), "csv").format == "csv"
    with pytest.raises(UnreadableArchive, match="damaged"):
        reading.read(gzip.compress(RIS)[:-9])
    with pytest.raises(EmptyFile):
        reading.read(gzip.compress(b""))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (packed({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "a Word document"),
        (packed({"mimetype": b"application/epub+zip"}), "a zip archive that is damaged"),
        (zipped(a__ris=RIS)[:-10], "a zip archive that is damaged"),
    ],
)
def test_documents_and_damaged_archives_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnknownFormat, match=f"looks like {kind}"):
        reading.read(data)


@settings(deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=12))
def test_a_mangled_archive_is_read_or_refused(at: int, junk: bytes) -> None:
    data = zipped(a__ris=RIS, b__csv=CSV)
    try:
        read(data[:at] + junk + data[at + len(junk) :])
    except (UnknownFormat, UnreadableArchive, EmptyFile):
        return


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=12), st.binary(max_size=60), max_size=4))
def test_files_of_any_name_and_content(members: dict[str, bytes]) -> None:
    safe = {name: data for name, data in members.items() if name.isprintable()}
    found = texts_of(packed({"a.ris": RIS, **{f"n{name}": data for name, data in safe.items()}}))
    assert "From RIS" in found
