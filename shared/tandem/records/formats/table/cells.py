"""From the cells of a row, under the fields their columns hold, to the parts of a record."""

import re
from collections.abc import Iterable, Mapping

from tandem.records.formats import citation, kinds, normalise, priors
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind, Prior
from tandem.records.formats.people import split_names, split_terms
from tandem.records.formats.table.columns import columns_of

Cells = Mapping[str, list[str]]
"""The values of each field of `columns`, the preferred first, none of them blank."""

_EMBASE = re.compile(
    r"(?P<journal>[^()]{2,300}?)\s*\((?P<year>(?:19|20)[0-9]{2})\)"
    r"(?:\s+(?P<volume>[^\s():]{1,20})(?::(?P<issue>[^\s()]{1,20}))?)?"
    r"(?:\s+\((?P<pages>[^()]{1,40})\))?"
)
"""`Cancer (2004) 102:4 (253-258)`: Embase has all of it in one column."""

_PUBMED = re.compile(
    r"(?P<journal>[^;]{2,200}?)\. (?P<year>(?:19|20)[0-9]{2})[^;:]{0,30}"
    r"(?:;(?P<volume>[^(:;]{1,20})?(?:\((?P<issue>[^()]{1,20})\))?(?::(?P<pages>[^.\s]{1,40}))?)?\."
)
"""`Behav Ther. 2022 Mar;53(2):334-347. doi: ...`: so has PubMed."""

DATABASES = (
    r"scopus|web of science|wos|medline|pubmed|embase|cinahl.*|psycinfo|proquest|cochrane.*|doaj"
    r"|ovid.*|google scholar|crossref|openalex|lens|dimensions|ieee.*|eric|zotero|mendeley"
)
"""Names of databases, as a pattern of a whole text in small letters."""

_ABSTRACKR: dict[str, priors.Verdict] = {"1": "include", "0": "maybe", "-1": "exclude"}
"""What Abstrackr writes where its reviewers agree; `x` is a conflict, `o` nobody's label."""

_LISTS = frozenset({"authors", "keywords", "type", "registry ids"})
"""Several values of these are one cell's."""

_LONGEST_JOURNAL = 150
_TRIAL = re.compile(r"NCT[0-9]{8}")
_LONGEST_NOTE = 100_000


def parts(cells: Cells) -> Parts:
    """Return what a row tells of its record."""

    def values(*fields: str) -> list[str]:
        return [value for field in fields for value in cells.get(field, ())]

    def first(field: str) -> str:
        return next(iter(cells.get(field, ())), "")

    cited = _cited(first("citation"))
    start = first("pages") or first("page start")
    whole = first("article number") or cited.pages
    journals = [*values("journal"), cited.journal]
    return Parts(
        titles=values("title"),
        abstracts=values("abstract"),
        authors=split_names(normalise.clean(first("authors"))),
        dates=[*values("year"), cited.year],
        journals=journals,
        volume=first("volume") or cited.volume,
        issue=first("issue") or cited.issue,
        pages=(start, first("page end")) if start else (whole, ""),
        dois=values("doi", "url", "ref"),
        pmids=values("pmid"),
        urls=values("url", "doi"),
        keywords=[term for cell in values("keywords") for term in split_terms(cell)],
        language=first("language"),
        registered=values("registry ids"),
        notes=values("notes"),
        refs=values("ref", "pmid"),
        kind=_kind(values("type"), [*journals, *values("publisher")], values("ref")),
        priors=_priors(cells),
    )


def named(values: Iterable[tuple[str, str]]) -> Parts:
    """Return what values tell of their record under names such as tables have."""
    by_name: dict[str, list[str]] = {}
    for name, value in values:
        if value.strip():
            by_name.setdefault(name, []).append(value)
    names = list(by_name)
    return parts(
        {
            field: [
                value
                for at in places
                for value in (
                    ["; ".join(by_name[names[at]])] if field in _LISTS else by_name[names[at]]
                )
            ]
            for field, places in columns_of(names).items()
        }
    )


def _cited(text: str) -> citation.Citation:
    """Return what the column of citations or sources tells, unless it names the database."""
    if found := _EMBASE.match(text) or _PUBMED.match(text):
        groups = found.groupdict(default="")
        return citation.Citation(**{name: value.strip() for name, value in groups.items()})
    if not text or re.fullmatch(DATABASES, text.strip(), re.I) or normalise.url(text):
        return citation.Citation()
    if re.search(r"\d", text):
        return citation.of(text)
    return citation.Citation(journal=text if len(text) <= _LONGEST_JOURNAL else "")


def _kind(types: list[str], sources: list[str], refs: list[str]) -> Kind | None:
    # IEEE writes `IEEE Conferences` and `IEEE Journals & Magazines`: the last word tells.
    known = [text if kinds.kind(text) else text.rpartition(" ")[2] for text in types]
    if found := kinds.of(known, sources):
        return found
    return Kind.TRIAL if any(_TRIAL.fullmatch(ref.strip()) for ref in refs) else None


def _priors(cells: Cells) -> tuple[Prior, ...]:
    """Return the decisions of an earlier screening, of each reviewer where the row names them."""
    notes = cells.get("notes", ())
    for note in notes:
        if found := priors.rayyan(note):
            return found
    by_reviewer = [
        Prior(verdict, field.removeprefix("by "))
        for field, values in cells.items()
        if field.startswith("by ") and (verdict := priors.label(values[0]))
    ]
    if by_reviewer:
        return tuple(by_reviewer)
    reasons, labels = (
        tuple(
            dict.fromkeys(part.strip() for value in cells.get(field, ()) for part in _parted(value))
        )
        for field in ("reasons", "labels")
    )
    verdict = next(filter(None, map(priors.label, cells.get("label", ()))), None)
    if verdict is None and (agreed := cells.get("consensus")):
        verdict = _ABSTRACKR.get(agreed[0].strip().removesuffix(".0"))
    if verdict:
        by = next(iter(cells.get("labelled by", ())), None)
        return (Prior(verdict, by, reasons if verdict == "exclude" else (), labels),)
    return ()


def _parted(value: str) -> list[str]:
    return [part for part in value[:_LONGEST_NOTE].split(";") if part.strip()]
