"""Kinds of publications, recognised from the words that databases and programs use for them."""

import re
from collections.abc import Iterable
from functools import lru_cache

from tandem.records.formats.entry import Kind

# What has none of the telling words below. Compared in lower case, with a space for everything but
# letters and digits, less a plural's s.
_WORDS: dict[Kind, str] = {
    Kind.ARTICLE: """
        original research|original paper|research paper|full paper|articlejournal|scholarlyarticle
        |periodical|magazine|newspaper|trade publication|jour|ejour|mgzn|news|artj|jnl|in press
        |inpr|jfull|early access|short communication|brief communication|brief report|short report
        |brief research report|rapid communication|rapid report|short survey|short paper
        |research note|technical note|case report|case study|clinical trial|clinical study
        |controlled clinical trial|randomized controlled trial|randomised controlled trial
        |randomized clinical trial|pragmatic clinical trial|clinical trial phase i
        |clinical trial phase ii|clinical trial phase iii|clinical trial phase iv|multicenter study
        |observational study|comparative study|evaluation study|validation study|twin study
        |meta analysis|clinical trial protocol|study protocol|data paper|data descriptor
        |practice guideline|guideline|letter|letter to the editor|editorial|editorial material
        |comment|commentary|note|correspondence|opinion|viewpoint|perspective|reply|discussion
        |personal narrative|method|entry
    """,
    Kind.CONFERENCE: """
        inproceeding|workshop paper|poster|presentation|speech|conf|cpaper|published abstract
        |lecture|talk
    """,
    Kind.PREPRINT: """
        unpublished material|postedcontent|eprint|e print|working paper|workingpaper
        |discussion paper|unpublished|unpublished work|unpb|unpd|manuscript|unpublished manuscript
        |submitted manuscript|pre publication
    """,
    Kind.CHAPTER: """
        bookchapter|booksection|inbook|incollection|chap|echap|article in book|book article|section
        |book contribution|encyclopedia article|encyclopedia entry|entry encyclopedia
        |entry dictionary|dictionary entry|reference entry|reference book entry|encyclopedia|ency
        |encyc|dictionary|dict|part of book|book track
    """,
    Kind.BOOK: """
        ebook|editedbook|edbook|mvbook|textbook|edited volume|collected work|proceedings book
        |classical work|clswk|ancient text|ancient|pamphlet|pamp|atla|booklet
    """,
    Kind.THESIS: """
        these|phdthesis|mastersthesis|thes|ph d|phd|habilitation|diplomarbeit|doctoralthesis
    """,
    Kind.REPORT: """
        techreport|government document|govdoc|rprt|white paper|policy brief|policy paper
        |grey literature|gray literature|health technology assessment|hta|government publication
        |gov doc|official publication|technical brief
    """,
    Kind.TRIAL: """
        trial|registered trial|registry record|clinicaltrial|clinical trials gov
    """,
    Kind.ERRATUM: """
        correction|corrected article|addendum|correction notice|publisher correction
        |author correction|correction republished article|correction addition|article correction
        |corrected and republished article|expression of concern
    """,
    Kind.RETRACTION: """
        withdrawal|withdrawal notice|tombstone|removal
    """,
    Kind.OTHER: """
        other|art|art work|dataset|data set|data|database|dbase|software|computer program
        |computer software|comp|web page|webpage|website|web site|web|elec|blog|blog post
        |post weblog|weblog|internet|internet communication|icomm|online database|online multimedia
        |online source|online|web resource|patent|pat|standard|stand|legal|legislation|statute|stat
        |bill|unbill|case|legal case|legal rule or regulation|hearing|hear|map|music|musical score
        |sound|audio|audio recording|audiovisual|audiovisual material|advs|video|video recording
        |video audio media|film|motion picture|mpct|movie|film or broadcast|podcast|pod|broadcast
        |image|figure|chart|chart or table|graphic|artwork|equation|equa|interview|intv
        |personal communication|pcomm|letter personal|email|e mail|instant message|forum post
        |press release|press|news item|newsitem|catalog|ctlg|aggregated database|aggr|multimedia
        |multi|grant|grnt|biography|portrait|manscpt|hand written|peer review|paratext|bibliography
        |directory|interactive tutorial|lecture note|social media|social medium|tv broadcast
        |radio broadcast|physical object|slide|supplementary material
    """,
}
_KINDS = {
    word: kind
    for kind, words in _WORDS.items()
    for word in (" ".join(piece.split()) for piece in words.split("|"))
}

_BY_WORD = (
    (Kind.RETRACTION, re.compile(r"\b(?:retract(?:ed|ions?)|withdrawn)\b")),
    (Kind.ERRATUM, re.compile(r"\b(?:erratums?|errata|corrigend(?:um|a)|published erratum)\b")),
    (Kind.PREPRINT, re.compile(r"\bpre ?prints?\b|\bposted contents?\b")),
    (Kind.THESIS, re.compile(r"\b(?:thes[ie]s|dissertations?)\b")),
    (Kind.CHAPTER, re.compile(r"\bchapters?\b|\bbook (?:section|part)s?\b")),
    (
        Kind.CONFERENCE,
        re.compile(r"\b(?:conferences?|proceedings?|congress|symposiums?|meetings?)\b"),
    ),
    (Kind.TRIAL, re.compile(r"\btrial (?:regist|record)")),
    (Kind.ARTICLE, re.compile(r"\b(?:journal|article|review)s?\b")),
    (Kind.BOOK, re.compile(r"\b(?:book|monograph)s?\b")),
    (Kind.REPORT, re.compile(r"\breports?\b")),
)
"""For what stands in no list, the most telling word first."""

_MORE_WORDS = (
    "abstract academic article book chapter conference congress contribution dissertation"
    " journal literature meeting newspaper object paper periodical preprint proceeding proceedings"
    " publication published research retracted retraction review scholarly symposium systematic"
    " electronic reviewed peer doctoral master masters annual authored whole series"
    " theses thesis trial erratum corrigendum monograph"
)
_OF_TYPES = frozenset({word for words in _KINDS for word in words.split()} | {*_MORE_WORDS.split()})
"""Types are made of these words; a subject has others besides (`book history`)."""

_TELLING = tuple(kind for kind, _ in _BY_WORD)
"""Where a record has several types, the earlier tells more."""

_LONGEST = 120
_NOT_LETTERS = re.compile(r"[\W_]+")
_WITHIN_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PART = re.compile(r"[;|\n]")

_PREPRINT_SERVER = re.compile(
    r"\b(?:[a-z]{0,12}[ri]xiv|ssrn|authorea|research square|essoar|osf preprints?"
    r"|(?:peerj|jmir|f1000|hal|zenodo|advance) preprints?|preprints(?:\.org| with the lancet))\b",
    re.I,
)
_LONGEST_SERVER = 80


def kind(text: str) -> Kind | None:
    """Return what the words of a document type mean, None where that is not sure.

    A value may hold several types with semicolons or bars between them (`Journal Article;
    Retracted Publication`): then the one that tells most.
    """
    return of((text,))


def of(types: Iterable[str], sources: Iterable[str] = ()) -> Kind | None:
    """Return the kind of a record: of several types the one that tells most.

    A retracted paper is a retraction whatever else it is, an article only if nothing else. What
    has no other kind is a preprint where one of `sources` has only such.

    Args:
        types: Document types, each as in `kind`.
        sources: Titles of its journals or names of its publishers.
    """
    parts = (part for text in types for part in _PART.split(text[: 20 * _LONGEST]))
    kinds = {one for part in parts if (one := _one(part))}
    found = next((k for k in _TELLING if k in kinds), Kind.OTHER if kinds else None)
    if found in {None, Kind.ARTICLE, Kind.REPORT, Kind.OTHER} and _on_preprint_server(sources):
        return Kind.PREPRINT
    return found


def is_type(text: str) -> bool:
    """Tell whether `text` is a document type and no more, where it might as well be a subject."""
    if len(text) > _LONGEST or _one(text) is None:
        return False
    return _listed(text) is not None or all(
        word in _OF_TYPES or word.removesuffix("s") in _OF_TYPES for word in _words(text).split()
    )


def _on_preprint_server(sources: Iterable[str]) -> bool:
    short = (source for source in sources if len(source) <= _LONGEST_SERVER)
    return any(map(_PREPRINT_SERVER.search, short))


@lru_cache(maxsize=4096)
def _one(text: str) -> Kind | None:
    if len(text) > _LONGEST or "://" in text or "10." in text:  # an address or a DOI
        return None
    words = f"{_words(text)} | {_words(_WITHIN_CAMEL_CASE.sub(' ', text))}"
    return _listed(text) or next((k for k, pattern in _BY_WORD if pattern.search(words)), None)


def _listed(text: str) -> Kind | None:
    whole, split = _words(text), _words(_WITHIN_CAMEL_CASE.sub(" ", text))
    variants = (whole, whole.removesuffix("s"), split)
    return next((_KINDS[words] for words in variants if words in _KINDS), None)


def _words(text: str) -> str:
    return _NOT_LETTERS.sub(" ", text).strip().lower()
