"""What a flow diagram says, box by box, in which column and row. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tandem.reporting.boxes import BEYOND, LABELS
from tandem.reporting.flow import Flow, Template


class Entry(NamedTuple):
    """A text in a box; `key` names the box of records that it opens, `part` a part of that."""

    text: str
    key: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """One rectangle.

    Attributes:
        entries: What is written in it, in order.
        is_heading: It names a column.
        is_dashed: It is not one of PRISMA's boxes.
        follows: An arrow comes from the box above it.
    """

    entries: Sequence[Entry]
    is_heading: bool = False
    is_dashed: bool = False
    follows: bool = True

    @property
    def key(self) -> str | None:
        return next((entry.key for entry in self.entries if entry.key), None)


Cells = Sequence[Sequence[Content]]


@dataclass(frozen=True, slots=True)
class Outline:
    """The boxes by column and row: previous studies, then main and side boxes of two columns.

    `lanes` are the columns in which arrows run down, `ends` the arrows into another column's box:
    from which column, into which, in which row.
    """

    title: str
    description: str
    notices: Sequence[str]
    columns: Sequence[Cells]
    lanes: Sequence[int]
    ends: Sequence[tuple[int, int, int]]

    @property
    def n_rows(self) -> int:
        return len(self.columns[0])


_PREVIOUS, _MAIN, _SIDE, _OTHER, _OTHER_SIDE = range(5)
_HEADING, _IDENTIFIED, _SCREENED, _SOUGHT, _ASSESSED, _INCLUDED, _TOTAL = range(7)


def outline(flow: Flow, template: Template) -> Outline:
    """Return what the diagram says."""
    columns: list[list[list[Content]]] = [[[] for _ in range(7)] for _ in range(5)]
    new = "new studies" if template.is_updated else "studies"
    _searched(flow, columns, f"Identification of {new} via databases and registers")
    _included(flow, columns, template)
    if template.is_updated:
        columns[_PREVIOUS][_HEADING] = [_heading("Previous studies")]
        columns[_PREVIOUS][_IDENTIFIED] = [_box(flow, "previous_studies", "previous_reports")]
    if template.has_other_methods:
        _otherwise(flow, columns, f"Identification of {new} via other methods")
    ends = [(_OTHER, _MAIN, _INCLUDED)] if template.has_other_methods else []
    ends += [(_PREVIOUS, _MAIN, _TOTAL)] if template.is_updated else []
    return Outline(
        "PRISMA 2020 flow diagram",
        _in_words(flow),
        [*_unfinished(flow)],
        columns,
        [_MAIN, _OTHER],
        ends,
    )


def title(flow: Flow, heading: str | None) -> str:
    """Return the line above the diagram."""
    name = "PRISMA 2020 flow diagram"
    search = f", search {flow.wave}" if flow.wave is not None else ""
    return f"{heading}: {name}{search}" if heading else f"{name}{search}"


def _searched(flow: Flow, columns: list[list[list[Content]]], heading: str) -> None:
    main, side = columns[_MAIN], columns[_SIDE]
    main[_HEADING] = [_heading(heading)]
    main[_IDENTIFIED] = [Content([Entry("Records identified from:"), *_sources(flow)])]
    removed = [
        Entry("Records removed before screening:"),
        *(_entry(flow, key) for key in ("duplicates", "excluded_automatic", "excluded_other")),
    ]
    side[_IDENTIFIED] = [Content(removed)]
    main[_SCREENED] = [_box(flow, "records_screened")]
    side[_SCREENED] = [_box(flow, "records_excluded"), *_dashed(flow, "not_screened")]
    _assessed(flow, main, side, "dbr")


def _sources(flow: Flow) -> Iterator[Entry]:
    for key, name in (("database", "Databases"), ("register", "Registers")):
        yield Entry(f"{name} (n = {flow.n(f'{key}_results'):,})", f"{key}_results")
        specific = flow.boxes[f"{key}_specific_results"]
        for part in specific.parts:
            yield Entry(_counted(f"– {part.label}", part.n), specific.key, part.label)


def _otherwise(flow: Flow, columns: list[list[list[Content]]], heading: str) -> None:
    main, side = columns[_OTHER], columns[_OTHER_SIDE]
    main[_HEADING] = [_heading(heading)]
    names = {
        "website_results": "Websites",
        "organisation_results": "Organisations",
        "citations_results": "Citation searching",
    }
    entries = [Entry(_counted(name, flow.n(key)), key) for key, name in names.items()]
    if n := flow.n("other_method_results"):
        entries.append(Entry(_counted("Other methods", n), "other_method_results"))
    main[_IDENTIFIED] = [Content([Entry("Records identified from:"), *entries])]
    side[_IDENTIFIED] = _dashed(flow, "other_already_found", "other_removed")
    side[_SCREENED] = _dashed(
        flow, "other_screened", "other_records_excluded", "other_not_screened"
    )
    _assessed(flow, main, side, "other")


def _assessed(
    flow: Flow, main: list[list[Content]], side: list[list[Content]], column: str
) -> None:
    main[_SOUGHT] = [_box(flow, f"{column}_sought_reports")]
    side[_SOUGHT] = [
        _box(flow, f"{column}_notretrieved_reports"),
        *_dashed(flow, f"{column}_being_sought"),
    ]
    main[_ASSESSED] = [_box(flow, f"{column}_assessed")]
    excluded = flow.boxes[f"{column}_excluded"]
    reasons = [
        Entry(_counted(part.label, part.n), excluded.key, part.label) for part in excluded.parts
    ]
    side[_ASSESSED] = [
        Content([_entry(flow, excluded.key), *reasons]),
        *_dashed(flow, f"{column}_to_assess", *(f"{column}_{name}" for name in BEYOND)),
    ]


def _included(flow: Flow, columns: list[list[list[Content]]], template: Template) -> None:
    texts = {}
    if not template.is_updated:
        texts = {
            "new_studies": "Studies included in review",
            "new_reports": "Reports of included studies",
        }
    columns[_MAIN][_INCLUDED] = [_box(flow, "new_studies", "new_reports", texts=texts)]
    if template.is_updated:
        columns[_MAIN][_TOTAL] = [_box(flow, "total_studies", "total_reports")]


def _heading(text: str) -> Content:
    return Content([Entry(text)], is_heading=True, follows=False)


def _box(flow: Flow, *keys: str, texts: dict[str, str] | None = None) -> Content:
    return Content([_entry(flow, key, (texts or {}).get(key)) for key in keys])


def _dashed(flow: Flow, *keys: str) -> list[Content]:
    """Return a box for each of these that counts anything."""
    return [Content([_entry(flow, key)], is_dashed=True) for key in keys if flow.n(key)]


def _entry(flow: Flow, key: str, text: str | None = None) -> Entry:
    return Entry(_counted(text or LABELS[key], flow.n(key)), key)


def _counted(text: str, n: int) -> str:
    """Return a text with its number, which no line break parts."""
    return f"{text} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n:,})"


def _unfinished(flow: Flow) -> Iterator[str]:
    if not flow.is_finished:
        names = ("not_screened", "other_not_screened", "being_sought", "to_assess")
        open_still = [f"{LABELS[key].lower()}: {flow.n(key):,}" for key in names if flow.n(key)]
        yield f"NOT FINISHED. {_sentence('; '.join(open_still))}"
    if not flow.holds:
        wrong = [one.name for one in flow.invariants if not one.holds]
        yield f"DOES NOT ADD UP: {'; '.join(wrong)}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _in_words(flow: Flow) -> str:
    """Say the diagram for those who do not see it."""
    identified = flow.n("database_results") + flow.n("register_results")
    before = [flow.n(name) for name in ("duplicates", "excluded_automatic", "excluded_other")]
    sought, assessed = (
        sum(flow.n(f"{column}_{name}") for column in ("dbr", "other"))
        for name in ("sought_reports", "assessed")
    )
    state = "" if flow.is_finished else "Not finished. "
    return (
        f"{state}{identified:,} records identified from databases and registers; {before[0]:,} "
        f"duplicates removed, {before[1]:,} marked by automation, {before[2]:,} removed for other "
        f"reasons; {flow.n('records_screened'):,} screened, {flow.n('records_excluded'):,} "
        f"excluded; {sought:,} reports sought, {assessed:,} assessed; "
        f"{flow.n('new_studies'):,} studies in {flow.n('new_reports'):,} reports included."
    )
