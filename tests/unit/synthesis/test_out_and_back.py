"""Out and back: what is coded in a project that Tandem hands over is found again, every passage."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refi
from coding import Coded, coded, texts
from effort import examples
from tandem.handover import qde
from tandem.handover.archive import Entry, zipped
from tandem.handover.code_book import identified
from tandem.handover.model import HandedStudy, Handover, IncludedReport, ReportFile, guid_of
from tandem.ids import RecordNumber, ReviewId, TextFileId, TextId, UserId
from tandem.synthesis.known import KnownText, KnownTexts, SourceMatch, digest
from tandem.synthesis.placing import PassageState, normal
from tandem.synthesis.project import CodedFile, FileSource
from tandem.synthesis.reading import read_back
from tandem.texts.kinds import MediaType
from tandem.texts.models import TextKind
from unit.records.export.exported import FULL

AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
REVIEW = ReviewId(UUID(int=9))
CODES = [("Identity",), ("Identity", "Reframing"), ("Trust",), ("Trust", "Reframing again")]
LEAVES = [path[-1] for path in CODES]


def handed(plains: list[str], media: MediaType) -> Handover:
    reports = [
        IncludedReport(
            RecordNumber(n),
            replace(FULL, id=str(n), title=f"T{n}", abstract=""),
            n,
            [
                ReportFile(
                    id=TextId(UUID(int=n)),
                    file_id=TextFileId(UUID(int=n)),
                    kind=TextKind.MAIN,
                    media_type=media,
                    artifact="none",
                    sha256="0" * 64,
                    has_plain=True,
                    added_at=AT,
                    added_by=UserId(UUID(int=1)),
                )
            ],
            [],
        )
        for n, _ in enumerate(plains, start=1)
    ]
    studies = [HandedStudy(f"S{one.number}", one.name, "", [one.number], {}) for one in reports]
    return Handover(REVIEW, "Peers", 1, AT, [], reports, [], studies)


def project(plains: list[str], media: MediaType, pdf: bytes = b"%PDF-") -> bytes:
    """Return the project that is handed over of reports with these texts."""
    made = qde.project(handed(plains, media), texts=True)

    def content(one: qde.SourceFile) -> bytes:
        assert one.file is not None
        return plains[one.file.id.int - 1].encode() if one.is_plain else pdf

    files = [Entry(f"Sources/{one.name}", [content(one)]) for one in made.files]
    whole = b"".join(zipped([Entry("project.qde", [made.qde]), *files]))
    refi.read(whole)
    return whole


class Texts:
    """The texts of the review, as `KnownTexts` finds them, without a database."""

    def __init__(self, plains: list[str]) -> None:
        self.plains = plains
        self._by_guid = {
            guid_of(REVIEW, kind, UUID(int=n)): n
            for n, _ in enumerate(plains, start=1)
            for kind in ("source", "representation")
        }

    def find(self, source: FileSource, text: str | None) -> tuple[KnownText, SourceMatch] | None:
        for guid in source.guids:
            if (n := self._by_guid.get(UUID(guid))) is not None:
                return self._known(n), SourceMatch.GUID
        alike = [
            n
            for n, one in enumerate(self.plains, 1)
            if text and digest(normal(text)) == digest(one)
        ]
        if len(alike) > 1 or not alike:
            alike = [int(source.record)] if source.record else []
        return (self._known(alike[0]), SourceMatch.TEXT) if alike else None

    def text(self, known: KnownText) -> str:
        return self.plains[known.number - 1]

    def _known(self, n: int) -> KnownText:
        return KnownText(RecordNumber(n), TextId(UUID(int=n)), TextFileId(UUID(int=n)))


def back(content: bytes, plains: list[str]) -> list[tuple[Any, ...]]:
    file = CodedFile(io.BytesIO(content))
    found = read_back(file, cast("KnownTexts", Texts(plains)))
    names = {code.guid: code.name for code in file.project.codes}
    assert [one.name for one in identified(file.project.codes, [])] == LEAVES
    return [
        (one.number, one.place.quote, names[one.code], one.coder, one.place.state)
        for one in found.passages
    ]


def spans(text: str, draw: Any) -> list[tuple[int, int]]:
    """Return spans of a text that hold a letter."""
    found = list[tuple[int, int]]()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if text[start:end].strip():
            found.append((start, end))
    return found


LETTERS = st.sampled_from("ab \n\t\U0001d4ab\U0001f9e0\u00e9\u2028&<>\"'")
PLAINS = st.lists(st.text(LETTERS, min_size=1, max_size=80), min_size=1, max_size=5)


@settings(max_examples=examples(120))
@given(PLAINS, st.sampled_from([MediaType.PDF, MediaType.PLAIN]), st.booleans(), st.data())
def test_every_passage_comes_back_at_its_place(
    plains: list[str], media: MediaType, new_ids: bool, data: st.DataObject
) -> None:
    out = project(plains, media)
    names = sorted(texts(out), key=lambda name: int(name.split("[")[1].split("]")[0]))
    passages = [
        Coded(name, *span, data.draw(st.sampled_from(LEAVES)), data.draw(st.sampled_from("AB")))
        for name, plain in zip(names, plains, strict=True)
        for span in spans(plain, data.draw)
    ]
    content = coded(out, passages, CODES, new_ids=new_ids)
    refi.read(content)

    expected = [
        (n, plains[n - 1][one.start : one.end], one.code, f"{one.who} (coder)", PassageState.KEPT)
        for n, name in enumerate(names, start=1)
        for one in passages
        if one.source == name
    ]
    assert sorted(back(content, plains)) == sorted(expected)


@pytest.mark.parametrize("media", [MediaType.PDF, MediaType.PLAIN])
def test_two_hundred_sources_with_astral_characters_come_back_whole(media: MediaType) -> None:
    plains = [
        "\n".join(
            f"Line {line} of \U0001d4ab{n}: \U0001f9e0 peers & <others>." for line in range(40)
        )
        for n in range(200)
    ]
    out = project(plains, media)
    passages = [
        Coded(name, start, start + 60, LEAVES[start % 4])
        for name, plain in texts(out).items()
        for start in range(0, len(plain) - 60, 250)
    ]
    assert len(passages) > 1000

    for edit, state in ((None, PassageState.KEPT), (_crlf, PassageState.MOVED)):
        moved = passages if edit is None else [*map(_with_crlf(texts(out)), passages)]
        content = coded(out, moved, CODES, new_ids=edit is not None, edit=edit)
        found = back(content, plains)
        assert len(found) == len(passages)
        assert {one[-1] for one in found} <= {PassageState.KEPT, state}
        for number, quote, *_ in found:
            assert quote in plains[number - 1]


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _with_crlf(plains: dict[str, str]) -> Any:
    """Return what a tool that counts CRLF as two makes of positions."""

    def moved(one: Coded) -> Coded:
        text = plains[one.source]
        start, end = (at + text.count("\n", 0, at) for at in (one.start, one.end))
        return replace(one, start=start, end=end)

    return moved
