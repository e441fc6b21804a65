"""Values as sources write them, brought to the one form the rest of Tandem relies on.

Every function takes any text and never raises: what cannot be made sense of becomes empty.
"""

import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LABELLED = re.compile(
    r"<AbstractText\b[^<>]{0,300}?\bLabel=[\"']([^\"'<>]{1,80})[\"'][^<>]*>", re.I
)
_INLINE = "a|b|bold|em|font|i|italic|mark|s|sc|small|span|strong|sub|sup|tt|u|underline"
_BLOCK = (
    "abstract|abstracttext|article-title|body|br|code|dd|div|dl|dt|h[1-6]|hr|html|img|label"
    "|li|list|list-item|ol|p|pre|sec|section|table|tbody|td|th|title|tr|ul"
    "|alternatives|disp-formula|ext-link|inline-formula|inline-graphic|tex-math|xref|math"
)
_ATTRIBUTES = r"(?:\s[^<>=]*=[^<>]*|\s*/?)"
_INLINE_TAG = re.compile(rf"</?(?:jats:)?(?:{_INLINE}|(?:mml|m):[a-z]+){_ATTRIBUTES}>", re.I)
_BLOCK_TAG = re.compile(rf"</?(?:jats:[a-z-]+|{_BLOCK}){_ATTRIBUTES}>|<!--.{{0,1000}}?-->", re.I)

_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\ufeff\ud800-\udfff]")
_RAW_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_LONGEST_DOI = 300
_LATEX_IN_DOI = re.compile(r"[{$]*\\+(?:text)?(underscore|less|greater|[_&%#$<>])(?:\{\})?[ }$]*")
_LATEX_SIGNS = {"underscore": "_", "less": "<", "greater": ">"}
_DOI = re.compile(
    r"\W{0,10}(?:doi\b\W{0,5})?"
    r"(?:(?:https?:?//)?\S{0,300}?(?:doi\.org/|doi-org[.-][a-z0-9.-]{1,200}(?::[0-9]{1,5})?/|doi\.org\.[a-z0-9.-]{1,200}/|[/:]doi/(?:[a-z]{1,10}/)?|[?&](?:id=)?doi[=:/]))?"
    r"(10\.[0-9]{4,9}/[^\s\"]+)",
    re.I,
)
_DOI_SUFFIX = re.compile(r"\[?\[doi\].*", re.I)
_VIEW = re.compile(r"/(?:full|abstract|pdf|epdf|fulltext|html?|meta|summary)/?$", re.I)
"""What publishers put behind a DOI in the address of a page."""

_QUERY = re.compile(r"[?&].*")
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<"}

_PMID = re.compile(
    r"(?:(?:PMID|PUBMED(?: ID)?|MEDLINE)\b[:\s]*)?0*([1-9][0-9]{0,7})(?:\.0)?\.?"
    r"(?:\s*\[pmid\]|\s{1,3}\(https?://[^\s()]{1,200}\))?",
    re.I,
)
_PUBMED_PAGE = re.compile(
    r"https?://(?:www\.)?(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/(?:m/)?pubmed)/"
    r"0*([1-9][0-9]{0,9})(?![0-9])",
    re.I,
)
_PUBMED = re.compile(
    r"pubmed|medline|^\s*nlm\s*$|^in[- ](?:process|data[- ]review)|^publisher$", re.I
)
"""What PubMed is called as a database, also its statuses, which Ovid gives for databases."""

_NAMED_PMID, _NAMED_DOI = (
    (re.compile(name, re.I), re.compile(f"^{name}", re.I | re.M))
    for name in (
        r"\b(?:PMID|PUBMED|MEDLINE)\b[: ]\s*(?:NLM)?([0-9]{1,8})(?![0-9])",
        r"\bdoi:?\s{0,3}(10\.[0-9]{4,9}/[^\s;]{1,300})",
    )
)
"""What names an identifier in a note: anywhere, and where a line begins."""

_OF_EBSCO = re.compile(r"Accession Number:", re.I)
_ANOTHERS = re.compile(
    r"\b(?:in|on|of|for|from|to|by|with|as|see|cit(?:es?|ed|ing)|same|compare[sd]?|replie[sd]|reply|"
    r"response|comments?|errat(?:um|a)|corrections?|corrected|retract(?:ed|ion|s)|republished|updates?|"
    r"related|companion|duplicates?)\b",
    re.I,
)
"""What stands before the identifier of another article that a note speaks of."""
_LONGEST_NOTE = 10_000
_LONGEST_TELLING = 100
"""Characters. A longer note in prose may cite another article's number."""

_YEAR = re.compile(
    r"(?<![0-9])(1[0-9]{3}|20[0-9]{2}|2100)"
    r"(?:(?![0-9])|(?=(?:0[1-9]|1[0-2])(?:[0-3][0-9])?(?![0-9])))"
)
_TRIAL = re.compile(r"[A-Za-z]{2,10}-?[0-9][0-9A-Za-z-]{6,30}")
_LONGEST_URL = 2000
_NEXT_URL = re.compile(r"\s|;\s*(?=https?://)", re.I)
_NO_PAGES = re.compile(
    r"\W*(?:no[ -](?:pagination|pages?)|not paginated|unpaginated|pages? not (?:given|known))"
    r"(?: specified| given| available)?\W*",
    re.I,
)
_NO_VALUES = (
    "na|n/a|n.a.|n.a|nan|null|none|nil|undefined|unknown|#n/a|#na|#value!|#ref!|#name?|#div/0!"
    "|#null!|<na>|nat|(null)|(none)|[]|{}|()|[na]|(na)|[none]|[null]|['']|[\"\"]|-|--|---|–|—|.|..|?"
    "|not available|not applicable|not given|no data|not specified|not reported|missing"
    "|[not available]|(not available)"
)
_NOTHING = frozenset(_NO_VALUES.split("|"))
"""What programs and people write where there is nothing."""

_ET_AL = re.compile(
    r"[\s,;]*(?:\b(?:et\.? ?al(?:ii|\b)|and others|& al\b)[.,]?|…|\.{3})[\s.,]*$", re.I
)
_DASH = re.compile(r"(?<=[0-9A-Za-z)])\s*(?:[‐‑‒–—−]|--?)\s*(?=[0-9A-Za-z(])")
_PAGE_WORD = re.compile(r"^p{1,2}(?:\.|ages?)?\s*(?=[0-9])", re.I)


def clean(text: str) -> str:
    """Return `text` on one line, without markup, entities and characters nobody can read.

    The words inside tags stay, so that an abstract's section headings do.
    """
    if "&" in text:
        text = _unescape(text)
        if "&" in text:  # escaped once by the publisher and again by the database
            text = _unescape(text)
    if "<" in text:
        text = _LABELLED.sub(r" \1: ", text)
        text = _BLOCK_TAG.sub(" ", _INLINE_TAG.sub("", text))
    if not text.isascii() or not text.isprintable():
        text = _CONTROL.sub(_readable, text)
    return " ".join(text.split())


def says_nothing(text: str) -> bool:
    """Whether `text` stands for no value, such as `NA`, `null` or `[]`."""
    return len(text) < 20 and text.strip().lower() in _NOTHING


def clean_raw(text: str) -> str:
    """Return `text` as it stood, less the characters that PostgreSQL or JSON cannot hold."""
    return _RAW_CONTROL.sub("", text.strip("\n"))


def short(text: str, limit: int) -> str | None:
    """Return the cleaned text, cut at `limit` characters; None where nothing is left."""
    cleaned = clean(text)
    return cleaned[:limit].rstrip() or None


def doi(text: str) -> str | None:
    """Return the DOI that `text` is, in lower case: bare, as `doi:…` or as a resolver's URL.

    A DOI somewhere within a sentence or among other things is not taken.
    """
    if "10." not in text and "%2" not in text:
        return None
    if "\\" in text:
        text = _LATEX_IN_DOI.sub(lambda sign: _LATEX_SIGNS.get(sign[1], sign[1]), text)
    text = clean(unquote(text) if "%2f" in text.lower() else text)
    found = _DOI.match(text)
    if found is None or len(found[1]) > 2 * _LONGEST_DOI:
        return None
    name = _DOI_SUFFIX.sub("", found[1])
    if found.start(1) and "://" in text[: found.start(1)]:
        name = _VIEW.sub("", _QUERY.sub("", name))
    name = _CONTROL.sub("", _trim(name)).lower()
    complete = len(name) > name.index("/") + 1
    return name if complete and len(name) <= _LONGEST_DOI else None


def pmid(text: str) -> str | None:
    """Return the PubMed number that `text` is, without leading zeros.

    It may have `PMID:`, `MEDLINE:`, `[pmid]` or an address beside it, or stand in the address of
    its page. It has at most 8 digits: other databases' numbers are longer.
    """
    text = text.strip()
    found = _PMID.fullmatch(text) or _PUBMED_PAGE.match(text)
    return found[1] if found else None


def is_pubmed(database: str) -> bool:
    """Whether a database of this name has PubMed's numbers for its own."""
    return _PUBMED.search(database) is not None


def named_pmids(notes: Iterable[str]) -> Iterator[str]:
    """Yield the PubMed numbers that notes name as the record's own.

    Long notes name it where a line begins, short ones anywhere unless the line speaks of another
    article before: a wrong number is worse than none.
    """
    return _named(_NAMED_PMID, notes, _LONGEST_TELLING)


def named_dois(notes: Iterable[str]) -> Iterator[str]:
    """Yield the DOIs that notes name, as `named_pmids` does."""
    return _named(_NAMED_DOI, notes, 3 * _LONGEST_TELLING)


def _named(
    patterns: tuple[re.Pattern[str], re.Pattern[str]], notes: Iterable[str], longest: int
) -> Iterator[str]:
    anywhere, at_line = patterns
    for note in notes:
        text = note[:_LONGEST_NOTE]
        if _OF_EBSCO.match(note):
            yield from anywhere.findall(text)
        elif len(note) >= longest:
            yield from at_line.findall(text)
        else:
            for found in anywhere.finditer(text):
                line = text[: found.start()].rpartition("\n")[2]
                if not _ANOTHERS.search(line):
                    yield found[1]


def year(text: str) -> int | None:
    """Return the first year from 1000 to 2100 in any text of a date, `20190812` included."""
    found = _YEAR.search(text)
    return int(found[1]) if found else None


def url(text: str) -> str | None:
    """Return `text` where it is a web address a link may safely lead to."""
    address = _CONTROL.sub("", text.strip())
    if not address.lower().startswith(("http://", "https://")) or len(address) > _LONGEST_URL:
        return None
    return _NEXT_URL.split(address, maxsplit=1)[0]


def pages(start: str, end: str = "") -> str | None:
    """Return a range such as `152-160`, given whole in `start` or as its two ends."""
    first, last = (_DASH.sub("-", _PAGE_WORD.sub("", clean(part))) for part in (start, end))
    first, last = ("" if says_nothing(part) else part for part in (first, last))
    if _NO_PAGES.fullmatch(f"{first} {last}".strip()):
        return None
    if not last or first == last or re.search(r"[0-9a-z]\s*[-–—]\s*[0-9a-z]", first, re.I):
        return first or None
    return f"{first}-{last}" if first else last


def names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return people's names, trimmed, in the order given.

    A text may hold several with semicolons between them: no name has one. Equal names stay,
    as a paper can have two authors called Wang Y. The number of a trial, which Cochrane's
    register has for its author, is no name.
    """
    parts = (part.strip(" ,") for text in texts for part in clean(text).split(";"))
    named = (_ET_AL.sub("", part) for part in parts)
    # Na and Nan are family names.
    return tuple(
        part
        for part in named
        if part
        and not _TRIAL.fullmatch(part)
        and not (says_nothing(part) and part not in {"Na", "Nan", "Nil"})
        and part.casefold() != "others"
    )


def terms(texts: Iterable[str]) -> tuple[str, ...]:
    """Return keywords, each once whatever its case, less the `*` of major headings."""
    parts = (part for text in texts for part in clean(text).split(";"))
    seen: dict[str, str] = {}
    for part in parts:
        if (term := part.strip(" *")) and not says_nothing(term):
            seen.setdefault(term.casefold(), term)
    return tuple(seen.values())


def _unescape(text: str) -> str:
    # Only entities that end in a semicolon: html.unescape alone would also take the `&copy`
    # out of an address's `&copy=2`.
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _readable(character: re.Match[str]) -> str:
    """Turn a C1 control into the Windows-1252 sign it once was; drop every other one."""
    code = ord(character[0])
    return bytes([code]).decode("cp1252", "ignore") if 0x80 <= code <= 0x9F else ""


def _trim(name: str) -> str:
    """Drop punctuation after a DOI, and closing brackets that open before it."""
    while name and (
        name[-1] in ".,;:'\"…"
        or (name[-1] in _BRACKETS and name.count(name[-1]) > name.count(_BRACKETS[name[-1]]))
    ):
        name = name[:-1]
    return name
