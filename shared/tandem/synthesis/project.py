"""A coded project of REFI-QDA as a file has it: its codes, and who coded which passage. Pure.

Of the zip only `project.qde` and the plain texts are read, each up to a limit. Sources that are
no texts (pictures, recordings) and regions of a PDF's page have no passages: they are counted.
"""

import lzma
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from lxml.etree import _Element as Element

from tandem.handover.code_book import FileCode
from tandem.handover.refi_xml import UnreadableProject, codes_of, elements, local, one_line
from tandem.synthesis.errors import ProjectTooLarge

MIB = 1 << 20
LARGEST_QDE = 64 * MIB
LARGEST_TEXT = 32 * MIB
LARGEST_TEXTS = 512 * MIB
MOST_MEMBERS = 20_000
MOST_PASSAGES = 50_000
LONGEST_LABEL = 20_000

_TEXTS = ("TextSource", "PDFSource")
_OTHERS = ("PictureSource", "AudioSource", "VideoSource")
_WANTED = frozenset({"Users", "CodeBook", "Variables", *_TEXTS, *_OTHERS})
_RECORD = "Tandem record"
_DAMAGED = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
"""What a zip raises that is damaged or has a password, by the ways to pack that it knows."""


@dataclass(frozen=True, slots=True)
class FilePassage:
    """A coding of a source. `code` is a GUID of the file; without positions it is of all of it.

    `start` and `end` count code points of the source's text. `label` is the name of the
    selection, in which many programs write its text, or the beginning of it.
    """

    code: str
    coder: str
    start: int | None
    end: int | None
    label: str


@dataclass(frozen=True, slots=True)
class FileSource:
    """A text or PDF. `guids`: its own and that of its text; `path` is that of its plain text.

    `record` is what the variable "Tandem record" says, which Tandem has given it.
    """

    guids: Sequence[str]
    name: str
    path: str | None
    content: str | None
    record: str | None
    passages: Sequence[FilePassage]


@dataclass(frozen=True, slots=True)
class FileProject:
    """`n_other`: codings of what is no text. `coders`: who has coded a passage, by name."""

    name: str
    origin: str
    codes: Sequence[FileCode]
    sources: Sequence[FileSource]
    coders: Sequence[str]
    n_other: int


class CodedFile:
    """An opened `.qdpx`: the project, and its texts one at a time.

    Raises:
        UnreadableProject: It is no project of REFI-QDA, or it is damaged.
        ProjectTooLarge: It unpacks to more than is accepted.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._read = 0
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, ValueError, OSError, NotImplementedError):
            raise UnreadableProject("it is no .qdpx, which is a zip with a project.qde.") from None
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise ProjectTooLarge(f"it holds more than {MOST_MEMBERS:,} files")
        self._members = {info.filename.replace("\\", "/").casefold(): info for info in infos}
        qde = self._members.get("project.qde")
        if qde is None:
            raise UnreadableProject("there is no project.qde in it.")
        self.project = _Reading().project(BytesIO(self._content(qde, LARGEST_QDE)))

    def text(self, source: FileSource) -> str | None:
        """Return the plain text of a source as the file has it; None where it has none."""
        if source.content is not None:
            return source.content
        if source.path is None:
            return None
        name = source.path.partition("://")[2] or source.path
        for member in (f"sources/{name}", name):
            if (info := self._members.get(member.casefold())) is not None:
                content = self._content(info, LARGEST_TEXT)
                self._read += len(content)
                if self._read > LARGEST_TEXTS:
                    raise ProjectTooLarge(f"its texts have more than {LARGEST_TEXTS // MIB} MiB")
                return content.decode("utf-8-sig", errors="replace")
        return None

    def _content(self, info: ZipInfo, most: int) -> bytes:
        """Return what comes out of a member, whatever the zip says how much that is."""
        try:
            with self._zip.open(info) as member:
                content = member.read(most + 1)
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of a disk, not of the zip
            raise UnreadableProject(f"the zip is damaged ({error}).") from None
        if len(content) > most:
            raise ProjectTooLarge(f"{info.filename!r} unpacks to more than {most // MIB} MiB")
        return content


class _Reading:
    """Collects what a `project.qde` says, in the order of its elements."""

    def __init__(self) -> None:
        self._names = dict[str, str]()
        self._record: str | None = None
        self._codes = list[FileCode]()
        self._sources = list[FileSource]()
        self._n_passages = self._n_other = 0

    def project(self, qde: BinaryIO) -> FileProject:
        name = origin = None
        for tag, element in elements(qde, _WANTED):
            if name is None:
                if tag != "Project":
                    raise UnreadableProject("project.qde is no project of REFI-QDA.")
                name, origin = one_line(element.get("name")), one_line(element.get("origin"))
            elif tag == "Users":
                self._users(element)
            elif tag == "CodeBook":
                self._codes = codes_of(element)
            elif tag == "Variables":
                self._variables(element)
            elif tag in _TEXTS:
                self._sources.append(self._source(element))
            elif tag in _OTHERS:
                self._n_other += sum(local(one) == "Coding" for one in element.iter())
        known = {code.guid for code in self._codes}
        used = [one for source in self._sources for one in source.passages]
        if strange := next((one for one in used if one.code not in known), None):
            raise UnreadableProject(f"it codes with {strange.code!r}, which its code book lacks.")
        return FileProject(
            name=name or "",
            origin=origin or "",
            codes=self._codes,
            sources=self._sources,
            coders=sorted({one.coder for one in used}),
            n_other=self._n_other,
        )

    def _users(self, users: Element) -> None:
        for user in users:
            if guid := user.get("guid"):
                self._names[guid] = one_line(user.get("name") or user.get("id"))

    def _variables(self, variables: Element) -> None:
        for one in variables:
            if one_line(one.get("name")) == _RECORD:
                self._record = one.get("guid")

    def _source(self, element: Element) -> FileSource:
        guids, path, content, record = [element.get("guid", "")], None, None, None
        passages = list[FilePassage]()
        inside = [element, *(one for one in element if local(one) == "Representation")]
        for holder in inside:
            if holder is not element:
                guids.append(holder.get("guid", ""))
            path = holder.get("plainTextPath") or path
            for child in holder:
                tag = local(child)
                if tag == "PlainTextContent":
                    content = child.text or ""
                elif tag == "PlainTextSelection":
                    passages += self._selection(child)
                elif tag == "Coding":
                    passages += self._coding(child, None, None, "", None)
                elif tag == "PDFSelection":
                    self._n_other += sum(local(one) == "Coding" for one in child.iter())
                elif tag == "VariableValue":
                    record = self._value(child) or record
        self._n_passages += len(passages)
        if self._n_passages > MOST_PASSAGES:
            raise ProjectTooLarge(f"it has more than {MOST_PASSAGES:,} coded passages")
        name = one_line(element.get("name"))
        return FileSource(guids, name, path, content, record, passages)

    def _selection(self, selection: Element) -> list[FilePassage]:
        start = _position(selection.get("startPosition"))
        end = _position(selection.get("endPosition"))
        label, by = (selection.get("name") or "")[:LONGEST_LABEL], selection.get("creatingUser")
        return [
            passage
            for coding in selection
            if local(coding) == "Coding"
            for passage in self._coding(coding, start, end, label, by)
        ]

    def _coding(
        self, coding: Element, start: int | None, end: int | None, label: str, by: str | None
    ) -> list[FilePassage]:
        coder = self._names.get(coding.get("creatingUser") or by or "", "")
        return [
            FilePassage(reference.get("targetGUID", ""), coder, start, end, label)
            for reference in coding
            if local(reference) == "CodeRef"
        ]

    def _value(self, value: Element) -> str | None:
        reference, *rest = list(value) or [value]
        if self._record is None or reference.get("targetGUID") != self._record or not rest:
            return None
        return (rest[0].text or "").strip() or None


def _position(text: str | None) -> int:
    try:
        found = int(text or "")
    except ValueError:
        raise UnreadableProject("a selection has no positions in its text.") from None
    if found < 0:
        raise UnreadableProject("a selection begins before its text.")
    return found
