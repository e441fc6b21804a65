"""A coded project beside the texts of the review: what became of each passage."""

from collections.abc import Sequence
from dataclasses import dataclass

from tandem.ids import RecordNumber, TextId
from tandem.synthesis.known import KnownText, KnownTexts, SourceMatch
from tandem.synthesis.placing import PassageState, Place, normal, place
from tandem.synthesis.project import CodedFile, FilePassage, FileSource

_NOT_STORED = str.maketrans({"\x00": "\ufffd"})


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A passage with its place; `code` is a GUID of the file."""

    code: str
    coder: str
    source: str
    number: RecordNumber | None
    text_id: TextId | None
    place: Place


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A source of the file; `number` is None where it is of no report of the review."""

    name: str
    number: RecordNumber | None
    found_by: SourceMatch | None
    n_passages: int


@dataclass(frozen=True, slots=True)
class ReadBack:
    sources: Sequence[ReadSource]
    passages: Sequence[ReadPassage]

    def count(self, state: PassageState) -> int:
        return sum(one.place.state is state for one in self.passages)


def read_back(file: CodedFile, known: KnownTexts) -> ReadBack:
    """Return each source and each passage of a coded project, placed in the review's texts.

    Raises:
        ProjectTooLarge: Its texts are larger than is accepted.
        UnreadableProject: One of its texts is damaged.
    """
    sources, passages = list[ReadSource](), list[ReadPassage]()
    # ATLAS.ti counts a line end as one, also where its file has CRLF: as its importers know.
    counts_lf = "ATLAS" in file.project.origin.upper()
    for source in file.project.sources:
        theirs = file.text(source)
        if counts_lf and theirs is not None:
            theirs = normal(theirs)
        found = known.find(source, theirs)
        by = found[1] if found else None
        at = found[0] if found else None
        read = _passages(source, theirs, at, known)
        sources.append(ReadSource(source.name, at.number if at else None, by, len(read)))
        passages += read
    return ReadBack(sources, passages)


def _passages(
    source: FileSource, theirs: str | None, at: KnownText | None, known: KnownTexts
) -> list[ReadPassage]:
    ours = known.text(at) if at is not None and source.passages else None
    if theirs is not None and ours is not None and normal(theirs) == ours and "\r" not in theirs:
        theirs = ours  # but for a mark of the encoding, which counts nowhere
    return [
        ReadPassage(
            code=one.code,
            coder=one.coder,
            source=source.name,
            number=at.number if at else None,
            text_id=at.text_id if at else None,
            place=_place(one, theirs, ours),
        )
        for one in source.passages
    ]


def _place(one: FilePassage, theirs: str | None, ours: str | None) -> Place:
    if one.start is None or one.end is None:
        state = PassageState.LOST if ours is None else PassageState.KEPT
        return Place(state, None, None, "")
    if ours is None:
        quote = (theirs or "")[one.start : one.end] or one.label
        return Place(PassageState.LOST, None, None, quote.translate(_NOT_STORED))
    found = place(one.start, one.end, one.label, theirs, ours)
    return Place(found.state, found.start, found.end, found.quote.translate(_NOT_STORED))
