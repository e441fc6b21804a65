"""A file is read in a child with limits: this process lives, and the outcome is right."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

import pdfs
from tandem.texts import reading
from tandem.texts.kinds import MediaType, media_type, safe_name
from tandem.texts.reading import ReadText, TextProblem, Unreadable

_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def read(file: Path, content: bytes, kind: MediaType = MediaType.PDF) -> ReadText | TextProblem:
    file.write_bytes(content)
    try:
        return reading.read(file, kind)
    except Unreadable as error:
        return error.problem


def test_the_text_of_a_pdf_has_its_pages_and_what_its_metadata_says(file: Path) -> None:
    found = read(
        file,
        pdfs.pdf(["Sleep and memory", "in café owners"], ["Methods"], info={"doi": "10.1/a"}),
    )

    assert found == ReadText(
        text="Sleep and memory\nin café owners\nMethods",
        page_starts=[0, 32],
        pages=2,
        title="",
        dois=["10.1/a"],
    )


def test_a_doi_is_found_in_the_xmp_metadata(file: Path) -> None:
    xmp = pdfs.stream(b"<rdf:li><prism:doi>10.1000/x.y</prism:doi></rdf:li>")

    found = read(file, pdfs.pdf(["A"], extra=[xmp], catalog=b"/Metadata 6 0 R"))

    assert isinstance(found, ReadText)
    assert found.dois == ["10.1000/x.y"]


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        pytest.param(pdfs.encrypted, TextProblem.ENCRYPTED, id="encrypted"),
        pytest.param(lambda: pdfs.pdf(["x"] * 50)[:400], TextProblem.DAMAGED, id="cut off"),
        pytest.param(lambda: b"%PDF-1.7\n" + b"<html>" * 99, TextProblem.DAMAGED, id="html"),
        pytest.param(lambda: pdfs.many_pages(10_000), TextProblem.TOO_COSTLY, id="10,000 pages"),
        pytest.param(pdfs.bomb, TextProblem.TOO_COSTLY, id="bomb"),
        pytest.param(pdfs.laughs, TextProblem.TOO_COSTLY, id="forms in forms"),
    ],
)
def test_a_hostile_file_ends_its_child_and_nothing_else(
    content: Callable[[], bytes], outcome: TextProblem, file: Path
) -> None:
    assert read(file, content()) is outcome


@pytest.mark.parametrize("content", [pdfs.with_script("words"), pdfs.with_attachment("words")])
def test_scripts_and_attachments_are_no_text_and_do_nothing(content: bytes, file: Path) -> None:
    found = read(file, content)

    assert isinstance(found, ReadText)
    assert found.text == "words"


@pytest.mark.parametrize(
    ("content", "pages"), [(pdfs.scan(), 1), (pdfs.loop(), 2)], ids=["scan", "loop"]
)
def test_a_scan_and_a_loop_have_pages_and_no_text(content: bytes, pages: int, file: Path) -> None:
    found = read(file, content)

    assert isinstance(found, ReadText)
    assert (found.pages, found.is_empty) == (pages, True)


def test_the_processors_time_is_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PROCESSOR_SECONDS", 1)
    monkeypatch.setattr(reading, "MEMORY", 64 << 30)

    assert read(file, pdfs.laughs()) is TextProblem.TOO_COSTLY


def test_a_child_that_hangs_is_no_fault_of_its_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(pdfs.pdf(["good"]))
    monkeypatch.setattr(reading, "MOST_SECONDS", 0)

    with pytest.raises(reading.Hung):
        reading.read(file, MediaType.PDF)


def test_the_child_knows_nothing_of_the_installation(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://secret")

    asked = {"do": "read", "media_type": MediaType.PLAIN, "limits": {"CPU": 9}}
    script = "import os, sys; print(dict(os.environ)); from tandem.texts.reader import program"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{script}; print(sorted(sys.modules))", json.dumps(asked)],
        env=reading.child_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "secret" not in done.stdout
    assert "sqlalchemy" not in done.stdout
    assert os.environ["TANDEM_DATABASE_URL"] == "postgresql://secret"


def test_a_word_document_is_read_with_its_tables(file: Path) -> None:
    document, made = Document(), BytesIO()
    document.add_paragraph("Before")
    row = document.add_table(1, 2).rows[0].cells
    row[0].text, row[1].text = "n", "34"
    document.add_paragraph("After")
    document.save(made)

    found = read(file, made.getvalue(), MediaType.WORD)

    assert isinstance(found, ReadText)
    assert (found.text, found.pages) == ("Before\nn\t34\nAfter", None)


def test_a_word_document_that_is_none_or_a_bomb_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MEMORY", 160 << 20)
    bomb, none = BytesIO(), BytesIO()
    with zipfile.ZipFile(none, "w") as archive:
        archive.writestr("a", "b")
    document = BytesIO()
    Document().save(document)
    with (
        zipfile.ZipFile(document) as whole,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            if name == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + b" " * 60_000_000)
            archive.writestr(name, content)

    assert read(file, none.getvalue(), MediaType.WORD) is TextProblem.DAMAGED
    assert read(file, bomb.getvalue(), MediaType.WORD) is TextProblem.TOO_COSTLY


@pytest.mark.parametrize(
    "content", ["naïve\r\n𝒳 end".encode(), "naïve\r\n𝒳 end".encode("utf-16")], ids=["8", "16"]
)
def test_plain_text_keeps_its_code_points_and_has_lf(content: bytes, file: Path) -> None:
    found = read(file, content, MediaType.PLAIN)

    assert isinstance(found, ReadText)
    assert found.text == "naïve\n𝒳 end"


def test_a_page_is_drawn_as_wide_as_asked(file: Path) -> None:
    file.write_bytes(pdfs.pdf(["One"], ["Two"]))

    made = reading.picture(file, page=1, width=300)

    assert made.startswith(_PNG)
    assert int.from_bytes(made[16:20]) == 300


def test_there_is_no_picture_of_a_page_that_is_not_there(file: Path) -> None:
    file.write_bytes(pdfs.pdf(["One"]))

    with pytest.raises(Unreadable):
        reading.picture(file, page=1, width=300)


def test_boxes_stand_where_the_words_are(file: Path) -> None:
    file.write_bytes(pdfs.pdf(["One word here"], ["Other"]))

    (word,), (first,), (other,) = reading.boxes(file, [(0, 4, 8), (0, 0, 3), (1, 0, 5)])

    left, top, width, height = word
    assert 50 / 595 < left < 0.2
    assert 0.05 < top < 0.1
    assert 0.01 < width < 0.1
    assert 0 < height < 0.03
    assert first[0] < left
    assert other[1] == pytest.approx(top, abs=0.01)


@pytest.mark.parametrize(
    ("beginning", "name", "kind"),
    [
        (b"%PDF-1.4", "a.txt", MediaType.PDF),
        (b"\r\n\r\n%PDF-1.4", "a", MediaType.PDF),
        (b"<!DOCTYPE html>%PDF-1.4", "a.pdf", None),
        (b" <html>", "a.pdf", None),
        (b"<?xml version='1.0'?>", "a.txt", None),
        (b"PK\x03\x04rest", "a.docx", MediaType.WORD),
        (b"PK\x03\x04rest", "a.pdf", None),
        (b"plain words", "a.txt", MediaType.PLAIN),
        (b"plain words", "a.pdf", None),
        (b"\x7fELF\x00", "a.txt", None),
        (b"", "a.pdf", None),
    ],
)
def test_what_a_file_is_stands_in_its_bytes(
    beginning: bytes, name: str, kind: MediaType | None
) -> None:
    assert media_type(beginning, name) is kind


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Okafor 2012.pdf", "Okafor 2012.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\papers\\a.PDF", "a.pdf"),
        ('a"; filename="b.html', "a ; filename= b.html.pdf"),
        ("a\r\nSet-Cookie: x", "a Set-Cookie x.pdf"),
        ("evil\u202efdp.exe", "evil fdp.exe.pdf"),
        ("", "unnamed.pdf"),
        (".pdf", "unnamed.pdf"),
        ("schön.pdf", "schön.pdf"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, MediaType.PDF) == safe
