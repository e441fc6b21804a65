"""Whether a QDPX keeps to the schema of REFI-QDA 1.5, as far as Tandem writes it.

The tables are the schema's own: elements in their order, with the fewest and most of each, and
the attributes that are required and allowed.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

NS = "{urn:QDA-XML:project:1.0}"
MANY = 10**9

_MADE = ("creatingUser", "creationDateTime", "modifyingUser", "modifiedDateTime")
_BEHIND = [("Coding", 0, MANY), ("NoteRef", 0, MANY), ("VariableValue", 0, MANY)]
_TEXT = [
    ("Description", 0, 1),
    ("PlainTextContent", 0, 1),
    ("PlainTextSelection", 0, MANY),
    *_BEHIND,
]

CHILDREN: dict[str, list[tuple[str, int, int]]] = {
    "Project": [
        (name, 0, 1)
        for name in [
            "Users",
            "CodeBook",
            "Variables",
            "Cases",
            "Sources",
            "Notes",
            "Links",
            "Sets",
            "Graphs",
        ]
    ]
    + [("Description", 0, 1), ("NoteRef", 0, MANY)],
    "Users": [("User", 1, MANY)],
    "CodeBook": [("Codes", 1, 1)],
    "Codes": [("Code", 1, MANY)],
    "Code": [("Description", 0, 1), ("NoteRef", 0, MANY), ("Code", 0, MANY)],
    "Variables": [("Variable", 1, MANY)],
    "Variable": [("Description", 0, 1)],
    "Cases": [("Case", 1, MANY)],
    "Case": [
        ("Description", 0, 1),
        ("CodeRef", 0, MANY),
        ("VariableValue", 0, MANY),
        ("SourceRef", 0, MANY),
        ("SelectionRef", 0, MANY),
    ],
    "TextSource": _TEXT,
    "Representation": _TEXT,
    "PDFSource": [
        ("Description", 0, 1),
        ("PDFSelection", 0, MANY),
        ("Representation", 0, 1),
        *_BEHIND,
    ],
    "PlainTextSelection": [("Description", 0, 1), ("Coding", 0, MANY), ("NoteRef", 0, MANY)],
    "Coding": [("CodeRef", 1, 1), ("NoteRef", 0, MANY)],
}
_TEXT_ATTRIBUTES = ({"guid"}, {"name", "richTextPath", "plainTextPath", *_MADE})
ATTRIBUTES: dict[str, tuple[set[str], set[str]]] = {
    "Project": (
        {"name"},
        {"origin", "creatingUserGUID", "creationDateTime", "modifyingUserGUID"}
        | {"modifiedDateTime", "basePath"},
    ),
    "User": ({"guid"}, {"name", "id"}),
    "Code": ({"guid", "name", "isCodable"}, {"color"}),
    "Variable": ({"guid", "name", "typeOfVariable"}, set()),
    "Case": ({"guid"}, {"name"}),
    "TextSource": _TEXT_ATTRIBUTES,
    "Representation": _TEXT_ATTRIBUTES,
    "PDFSource": ({"guid"}, {"name", "path", "currentPath", *_MADE}),
    "PlainTextSelection": ({"guid", "startPosition", "endPosition"}, {"name", *_MADE}),
    "Coding": ({"guid"}, {"creatingUser", "creationDateTime"}),
    **{name: ({"targetGUID"}, set()) for name in ("VariableRef", "SourceRef", "CodeRef")},
}
_VALUES = {
    "TextValue": r"(?s).*",
    "IntegerValue": r"[-+]?\d+",
    "FloatValue": r"[-+]?\d+(\.\d+)?",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class Read:
    """A project as a reader takes it; `texts` by the guid of the source."""

    root: Element
    members: dict[str, bytes]
    texts: dict[str, str] = field(default_factory=dict)

    def all(self, tag: str) -> list[Element]:
        return [*self.root.iter(f"{NS}{tag}")]

    def values(self, source: Element) -> dict[str, str]:
        names = {one.get("guid"): one.get("name", "") for one in self.all("Variable")}
        return {
            names[value[0].get("targetGUID")]: value[1].text or ""
            for value in source.findall(f"{NS}VariableValue")
        }


def read(content: bytes) -> Read:
    """Return a project after checking it: schema, references, names, files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        members = {name: archive.read(name) for name in archive.namelist()}
    qde = members["project.qde"]
    assert b"\r" not in qde
    root = ElementTree.fromstring(qde.decode("utf-8"))
    assert root.tag == f"{NS}Project"
    check_element(root)
    found = Read(root, members)
    _check_references(found)
    _check_files(found)
    return found


def check_element(element: Element) -> None:
    tag = element.tag.removeprefix(NS)
    if tag in ATTRIBUTES:
        required, allowed = ATTRIBUTES[tag]
        assert required <= set(element.attrib) <= required | allowed, (tag, element.attrib)
    for name, value in element.attrib.items():
        if name.lower().endswith("guid") or name == "creatingUser":
            assert _GUID.fullmatch(value), (tag, name, value)
        if name.endswith("DateTime"):
            assert _TIME.fullmatch(value), (tag, name, value)
    names = [child.tag.removeprefix(NS) for child in element]
    if tag == "VariableValue":
        assert names[0] == "VariableRef"
        assert len(names) == 2
        assert re.fullmatch(_VALUES[names[1]], element[1].text or ""), element[1].text
    elif tag == "Sources":
        assert names
        assert set(names) <= {"TextSource", "PDFSource"}
    else:
        order = CHILDREN.get(tag, [])
        places = [[known for known, _, _ in order].index(name) for name in names]
        assert places == sorted(places), (tag, names)
        for name, fewest, most in order:
            assert fewest <= names.count(name) <= most, (tag, name, names.count(name))
    for child in element:
        check_element(child)


def _check_references(found: Read) -> None:
    guids = [one.get("guid") for one in found.root.iter() if one.get("guid")]
    assert len(set(guids)) == len(guids), "a guid serves two things"
    for one in found.root.iter():
        for name in ("targetGUID", "creatingUser", "creatingUserGUID"):
            assert one.get(name) is None or one.get(name) in guids
    for tags in (
        ("User",),
        ("Variable",),
        ("Case",),
        ("TextSource", "PDFSource", "Representation"),
    ):
        names = [one.get("name") for tag in tags for one in found.all(tag)]
        assert len(set(names)) == len(names), tags
    cases = {v for case in found.all("Case") for v in found.values(case)}
    sources = {
        v for tag in ("TextSource", "PDFSource") for s in found.all(tag) for v in found.values(s)
    }
    assert not cases & sources, "importers mix up a variable of cases and sources"
    assert not found.all("PDFSelection")
    assert not [one for one in found.all("Code") if one.get("isCodable") == "false"]


def _check_files(found: Read) -> None:
    named = set[str]()
    for one in found.root.iter():
        for attribute in ("path", "plainTextPath"):
            if (path := one.get(attribute)) is None:
                continue
            member = path.replace("internal://", "Sources/")
            assert member in found.members, path
            named.add(member)
            if attribute == "plainTextPath":
                text = found.members[member].decode("utf-8")
                assert "\r" not in text
                assert not text.startswith("\ufeff")
                found.texts[str(one.get("guid"))] = text
    assert named | {"project.qde"} == set(found.members)
