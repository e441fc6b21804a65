"""Coded projects as files: what is read of them, and what is refused."""

import io
import zipfile
from pathlib import Path

import pytest

from tandem.demo.replay.papers import packed
from tandem.errors import TandemError
from tandem.handover.refi_xml import UnreadableProject
from tandem.synthesis import project
from tandem.synthesis.errors import ProjectTooLarge
from tandem.synthesis.project import CodedFile

SAMPLE = Path(__file__).parents[4] / "shared/data/prisma/synthetic.qdpx"
HEAD = '<Project xmlns="urn:QDA-XML:project:1.0" name="P" origin="T">'
BOOK = '<CodeBook><Codes><Code guid="c" name="C" isCodable="true"/></Codes></CodeBook>'
CODING = '<Coding guid="x"><CodeRef targetGUID="c"/></Coding>'


def opened(qde: str, **texts: bytes) -> CodedFile:
    members = {"project.qde": qde.encode(), **{f"Sources/{n}.txt": t for n, t in texts.items()}}
    return CodedFile(io.BytesIO(packed(members)))


def sourced(inside: str, book: str = BOOK) -> str:
    return f"{HEAD}{book}<Sources>{inside}</Sources></Project>"


@pytest.mark.data
@pytest.mark.skipif(not SAMPLE.exists(), reason="the samples are not beside the project")
def test_the_sample_is_read_with_codes_coder_and_passage() -> None:
    with SAMPLE.open("rb") as file:
        found = CodedFile(file)
        first, second = found.project.sources
        text = found.text(first)
    assert [code.name for code in found.project.codes] == [
        "Reframing identity",
        "Reciprocal relations",
        "Therapeutic use of self",
        "Enhancing responsibility",
    ]
    (passage,) = first.passages
    assert (passage.coder, first.record, second.passages) == ("Ben", "17", [])
    assert text is not None
    assert text[passage.start : passage.end] == passage.label


def test_a_whole_source_may_be_coded_and_its_text_may_be_in_the_project() -> None:
    inside = f"<PlainTextContent>All of it</PlainTextContent>{CODING}"
    file = opened(sourced(f'<TextSource guid="s" name="S">{inside}</TextSource>'))
    (source,) = file.project.sources
    assert file.text(source) == "All of it"
    assert [(one.start, one.end, one.coder) for one in source.passages] == [(None, None, "")]


def test_what_is_no_text_is_counted() -> None:
    region = f'<PDFSelection guid="r" page="0">{CODING}</PDFSelection>'
    picture = (
        f'<PictureSource guid="p"><PictureSelection>{CODING}</PictureSelection></PictureSource>'
    )
    file = opened(sourced(f'<PDFSource guid="s">{region}</PDFSource>{picture}'))
    assert (file.project.n_other, file.project.sources[0].passages) == (2, [])


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"no zip", UnreadableProject),
        (packed({"a.txt": b""}), UnreadableProject),
        (packed({"project.qde": b""}), UnreadableProject),
        (packed({"project.qde": b"<Project><Users></Project>"}), UnreadableProject),
        (packed({"project.qde": b"<CodeBook/>"}), UnreadableProject),
        (
            packed({"project.qde": b'<!DOCTYPE Project [<!ENTITY a "b">]><Project>&a;</Project>'}),
            UnreadableProject,
        ),
        (
            packed(
                {"project.qde": sourced(f'<TextSource guid="s">{CODING}</TextSource>', "").encode()}
            ),
            UnreadableProject,
        ),
        (
            packed(
                {
                    "project.qde": sourced(
                        f'<TextSource guid="s"><PlainTextSelection startPosition="x">{CODING}'
                        "</PlainTextSelection></TextSource>"
                    ).encode()
                }
            ),
            UnreadableProject,
        ),
    ],
)
def test_what_is_no_coded_project_is_refused(content: bytes, wrong: type[TandemError]) -> None:
    with pytest.raises(wrong):
        CodedFile(io.BytesIO(content))


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_refused(packing: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr("project.qde", sourced("").encode() * 50)
    content = bytearray(file.getvalue())
    content[45:75] = bytes(byte ^ 0x5A for byte in content[45:75])
    with pytest.raises(UnreadableProject):
        CodedFile(io.BytesIO(content))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "LARGEST_QDE", 1000)
    with pytest.raises(ProjectTooLarge):
        opened(HEAD + " " * 10_000 + "</Project>")
    monkeypatch.setattr(project, "MOST_MEMBERS", 2)
    with pytest.raises(ProjectTooLarge):
        opened(HEAD + "</Project>", a=b"", b=b"")


def test_texts_are_read_up_to_a_limit_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "LARGEST_TEXTS", 1500)
    source = '<TextSource guid="{0}" plainTextPath="internal://{0}.txt"/>'
    file = opened(sourced(source.format("a") + source.format("b")), a=b"a" * 1000, b=b"b" * 1000)
    first, second = file.project.sources
    assert file.text(first) == "a" * 1000
    with pytest.raises(ProjectTooLarge):
        file.text(second)


def test_too_many_passages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "MOST_PASSAGES", 2)
    with pytest.raises(ProjectTooLarge):
        opened(sourced(f'<TextSource guid="s">{CODING * 3}</TextSource>'))
