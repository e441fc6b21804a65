"""REFI-QDA 1.5: a project of included reports for QualCoder, NVivo, ATLAS.ti, MAXQDA. Pure.

Elements stand in the order of the schema, and lists without an entry are left out: it asks for
one at least. So there is a code book only where an owner gave codes, or a coded project came back:
Tandem makes none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean
from uuid import UUID

from lxml import etree

import tandem
from tandem.handover.code_book import Code, unique_names
from tandem.handover.model import (
    Handover,
    IncludedReport,
    ReportFile,
    abstract_text,
    unique,
)
from tandem.ids import CodeId
from tandem.texts.kinds import EXTENSIONS, MediaType
from tandem.texts.models import TextKind

_PROJECT = "urn:QDA-XML:project:1.0"
_CODE_BOOK = "urn:QDA-XML:codebook:1.0"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

VARIABLES = {
    "Tandem record": ("Text", "The number of the record in Tandem."),
    "DOI": ("Text", ""),
    "Year": ("Integer", ""),
    "Study": ("Text", "The studies that it is a report of."),
    "Richness": ("Float", "From 1 to 5, the mean of the reviewers' ratings."),
}
"""Of sources. Cases have one of their own: importers mix up a variable that serves both."""

_OF_CASES = "Case: reports"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file under `Sources/`: the bytes of `file`, or its text, or if None `content`."""

    name: str
    file: ReportFile | None
    content: str | None = None
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """`project.qde`, and the files that it names, in its order."""

    qde: bytes
    files: Sequence[SourceFile]


def project(handover: Handover, *, texts: bool) -> Project:
    """Return the project of a hand-over.

    Args:
        handover: What is handed over.
        texts: With the full texts; else each report is its title and abstract.
    """
    return _Writer(handover, texts).project()


def code_book(codes: Sequence[Code]) -> bytes:
    """Return the code book of a hand-over; without codes where nobody has given or made any."""
    root = etree.Element(f"{{{_CODE_BOOK}}}CodeBook", nsmap={None: _CODE_BOOK}, origin=_origin())
    _codes(etree.SubElement(root, f"{{{_CODE_BOOK}}}Codes"), _CODE_BOOK, codes)
    return _bytes(root)


def _codes(parent: etree._Element, namespace: str, codes: Sequence[Code]) -> None:
    """Write codes, parents first, each into its parent. Each name is made unique for importers."""
    made: dict[CodeId | None, etree._Element] = {None: parent}
    names = unique_names(codes)
    for code in codes:
        element = etree.SubElement(made[code.parent], f"{{{namespace}}}Code")
        element.set("guid", str(code.guid))
        element.set("name", _clean(names[code.id]))
        element.set("isCodable", str(code.is_codable).lower())
        if code.color is not None:
            element.set("color", code.color)
        if code.description:
            note = etree.SubElement(element, f"{{{namespace}}}Description")
            note.text = _NOT_IN_XML.sub("\ufffd", code.description).replace("\r", " ")
        made[code.id] = element


def _origin() -> str:
    return f"Tandem {tandem.__version__}"


def _bytes(root: etree._Element) -> bytes:
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return made


def _clean(text: str) -> str:
    """Return the text on one line, without what XML cannot hold."""
    return " ".join(_NOT_IN_XML.sub("\ufffd", text).split())


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Writer:
    def __init__(self, handover: Handover, texts: bool) -> None:
        self._of, self._texts = handover, texts
        self._files = list[SourceFile]()
        self._names = set[str]()
        self._sources: dict[int, list[UUID]] = {}

    def project(self) -> Project:
        of = self._of
        root = etree.Element(f"{{{_PROJECT}}}Project", nsmap={None: _PROJECT})
        root.set("name", _clean(of.title))
        root.set("origin", _origin())
        if of.people:
            root.set("creatingUserGUID", str(of.guid("user", of.people[0].id)))
        root.set("creationDateTime", _time(of.at))
        if of.people:
            self._users(root)
        if of.codes:
            book = self._add(root, "CodeBook")
            _codes(self._add(book, "Codes"), _PROJECT, of.codes)
        if of.reports:
            self._variables(root)
            sources = etree.Element(f"{{{_PROJECT}}}Sources")
            for report in of.reports:
                self._report(sources, report)
            self._cases(root)
            root.append(sources)
        self._add(root, "Description", self._summary())
        return Project(_bytes(root), self._files)

    def _summary(self) -> str:
        of = self._of
        return (
            f"{len(of.reports)} reports of {len(of.studies)} studies, handed over by Tandem as of "
            f"event {of.as_of}."
        )

    def _add(
        self, parent: etree._Element, tag: str, text: str = "", /, **named: object
    ) -> etree._Element:
        child = etree.SubElement(parent, f"{{{_PROJECT}}}{tag}")
        for name, value in named.items():
            child.set(name, _clean(str(value)))
        if text:
            child.text = _clean(text)
        return child

    def _users(self, root: etree._Element) -> None:
        users, taken = self._add(root, "Users"), set[str]()
        for person in self._of.people:
            name = unique(_clean(person.name), taken)
            taken.add(name)
            self._add(users, "User", guid=self._of.guid("user", person.id), name=name)

    def _variables(self, root: etree._Element) -> None:
        variables = self._add(root, "Variables")
        of_cases = {_OF_CASES: ("Integer", "How many reports the study has here.")}
        for name, (kind, text) in {**VARIABLES, **of_cases}.items():
            guid = self._of.guid("variable", name)
            made = self._add(variables, "Variable", guid=guid, name=name, typeOfVariable=kind)
            self._add(made, "Description", text)

    def _cases(self, root: etree._Element) -> None:
        cases, taken = self._add(root, "Cases"), set[str]()
        for study in self._of.studies:
            name = unique(_clean(study.name), taken)
            taken.add(name)
            case = self._add(cases, "Case", guid=self._of.guid("case", study.id), name=name)
            self._value(case, _OF_CASES, "Integer", len(study.reports))
            for number in study.reports:
                for guid in self._sources[number]:
                    self._add(case, "SourceRef", targetGUID=guid)

    def _report(self, sources: etree._Element, report: IncludedReport) -> None:
        self._sources[report.number] = []
        files = report.files if self._texts else ()
        for file in files:
            if file.media_type is MediaType.PDF:
                self._pdf(sources, report, file)
            elif file.has_plain:
                self._text(sources, report, file)
        if not any(file.has_plain for file in files):
            self._abstract(sources, report, is_scan=bool(files))

    def _name(self, report: IncludedReport, what: str = "", ending: str = "") -> str:
        name = unique(_clean(f"{report.name} {what}"), self._names, ending)
        self._names.add(name)
        return name

    def _guid(self, report: IncludedReport, of: object) -> UUID:
        guid = self._of.guid("source", of)
        self._sources[report.number].append(guid)
        return guid

    def _pdf(self, sources: etree._Element, report: IncludedReport, file: ReportFile) -> None:
        kind = "" if file.kind is TextKind.MAIN else file.kind
        name, by = self._name(report, kind, ".pdf"), self._made(file)
        path = self._store(file, "file", EXTENSIONS[MediaType.PDF])
        guid = self._guid(report, file.id)
        source = self._add(sources, "PDFSource", guid=guid, name=name, path=path, **by)
        self._add(source, "Description", f"Tandem record {report.number}, {file.kind} text.")
        if file.has_plain:
            plain = self._add(
                source,
                "Representation",
                guid=self._of.guid("representation", file.id),
                name=self._name(report, kind),
                plainTextPath=self._store(file, "plain", ".txt", is_plain=True),
                **by,
            )
            self._values(plain, report)
        self._values(source, report)

    def _text(self, sources: etree._Element, report: IncludedReport, file: ReportFile) -> None:
        kind = "" if file.kind is TextKind.MAIN else file.kind
        source = self._add(
            sources,
            "TextSource",
            guid=self._guid(report, file.id),
            name=self._name(report, kind),
            plainTextPath=self._store(file, "plain", ".txt", is_plain=True),
            **self._made(file),
        )
        self._add(source, "Description", f"Tandem record {report.number}, {file.kind} text.")
        self._values(source, report)

    def _abstract(self, sources: etree._Element, report: IncludedReport, *, is_scan: bool) -> None:
        path = f"{self._of.guid('abstract', report.number)}.txt"
        text = abstract_text(report.record.title, report.record.abstract)
        self._files.append(SourceFile(path, None, text))
        source = self._add(
            sources,
            "TextSource",
            guid=self._guid(report, f"record {report.number}"),
            name=self._name(report, "(title and abstract only)"),
            plainTextPath=f"internal://{path}",
            creationDateTime=_time(self._of.at),
        )
        why = "no text can be read from its file" if is_scan else "no full text is handed over"
        what = f"Tandem record {report.number}. Title and abstract only: {why}."
        self._add(source, "Description", what)
        self._values(source, report)

    def _made(self, file: ReportFile) -> dict[str, object]:
        made: dict[str, object] = {"creationDateTime": _time(file.added_at)}
        if any(person.id == file.added_by for person in self._of.people):
            made = {"creatingUser": self._of.guid("user", file.added_by), **made}
        return made

    def _store(self, file: ReportFile, what: str, ending: str, *, is_plain: bool = False) -> str:
        name = f"{self._of.guid(what, file.id)}{ending}"
        self._files.append(SourceFile(name, file, is_plain=is_plain))
        return f"internal://{name}"

    def _values(self, source: etree._Element, report: IncludedReport) -> None:
        record = report.record
        studies = "; ".join(study.key for study in self._of.studies_of(report.number))
        given: dict[str, object] = {"Tandem record": report.number, "Study": studies}
        given["DOI"], given["Year"] = record.doi or "", record.year or ""
        given["Richness"] = round(mean(report.richness), 2) if report.richness else ""
        for name, (kind, _) in VARIABLES.items():
            if given[name] != "":
                self._value(source, name, kind, given[name])

    def _value(self, parent: etree._Element, name: str, kind: str, value: object) -> None:
        made = self._add(parent, "VariableValue")
        self._add(made, "VariableRef", targetGUID=self._of.guid("variable", name))
        self._add(made, f"{kind}Value", str(value))
