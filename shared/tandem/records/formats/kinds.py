"""What was published, told from the words that databases and programs use for it."""

import re
from collections.abc import Iterable
from functools import lru_cache

from tandem.records.formats.entry import Kind

# Compared in lower case, with a space for everything but letters and digits, less a plural's s.
_WORDS: dict[Kind, str] = {
    Kind.ARTICLE: """
        article|journal article|research article|original article|original research
        |original research article|original paper|research paper|journal paper|full paper
        |journal|journal contribution|article journal|articlejournal|academic journal
        |scholarly journal|scholarly article|scholarlyarticle|periodical article|periodical
        |electronic article|e article|magazine article|article magazine|magazine
        |newspaper article|article newspaper|newspaper|trade journal|trade publication
        |peer reviewed article|peer reviewed journal|journal article peer reviewed journal
        |jour|ejour|mgzn|news|artj|jnl|introductory journal article|in press|article in press
        |inpr|jfull|early access|article early access|short communication|brief communication
        |brief report|short report|brief research report|rapid communication|rapid report
        |short survey|short paper|research note|technical note|case report|case study
        |clinical trial|clinical study|controlled clinical trial|randomized controlled trial
        |randomised controlled trial|randomized clinical trial|pragmatic clinical trial
        |clinical trial phase i|clinical trial phase ii|clinical trial phase iii
        |clinical trial phase iv|multicenter study|observational study|comparative study
        |evaluation study|validation study|twin study|meta analysis|systematic review|review
        |review article|literature review|mini review|journal review|scoping review
        |clinical trial protocol|study protocol|data paper|data article|data descriptor
        |practice guideline|guideline|historical article|classical article|letter
        |letter to the editor|editorial|editorial material|comment|commentary|note|correspondence
        |opinion|viewpoint|perspective|reply|discussion|personal narrative|method|methods article
        |journal article review|article review|software review|entry|book review
        |review book|product review
    """,
    Kind.CONFERENCE: """
        conference|conference paper|conference proceeding|conference article|conference abstract
        |conference review|conference poster|conference presentation|conference contribution
        |conference publication|conference object|conference item|conference material
        |conference meeting|conference series|conference output|meeting|meeting abstract
        |meeting paper|meeting summary|proceeding|proceeding paper|proceedings article
        |proceedings paper|article proceedings paper|paper conference|inproceeding|congress
        |published congress|symposium|symposium paper|workshop paper|poster|presentation|speech
        |conf|cpaper|conference paper in journal|published abstract
        |conference papers and proceeding|article conference proceeding|lecture
        |clinical conference|consensus development conference
        |consensus development conference nih|talk|conference paper journal article
    """,
    Kind.PREPRINT: """
        preprint|pre print|unpublished material|posted content|postedcontent|eprint|e print
        |posted content preprint
        |working paper|workingpaper|discussion paper|unpublished|unpublished work|unpb|unpd
        |manuscript|unpublished manuscript|submitted manuscript|preprint article|article preprint
        |pre publication|preprint server|journal article preprint
    """,
    Kind.CHAPTER: """
        chapter|book chapter|bookchapter|book section|booksection|book part|book series chapter
        |inbook|incollection|chap|echap|chapter in book|article in book|book article
        |review book chapter|article book chapter|editorial material book chapter|section
        |electronic book section|book contribution|encyclopedia article|encyclopedia entry
        |entry encyclopedia|entry dictionary|dictionary entry|reference entry|reference book entry
        |encyclopedia|ency|encyc|dictionary|dict|part of book|book track|authored chapter
    """,
    Kind.BOOK: """
        book|ebook|e book|electronic book|edited book|editedbook|authored book|whole book|monograph
        |edbook|mvbook|textbook|reference book|book series|serial book|edited volume
        |book whole|book edited|book electronic|books monograph|print book|collected work
        |proceedings book|classical work|clswk|ancient text|ancient|pamphlet|pamp|atla
        |book set|booklet
    """,
    Kind.THESIS: """
        thesis|these|dissertation|thesis dissertation|dissertation thesis|phd thesis|phdthesis
        |doctoral thesis|doctoral dissertation|master thesis|masters thesis|mastersthesis
        |master s thesis|bachelor thesis|academic dissertation|thes|theses and dissertation
        |dissertations and theses|dissertation abstract|ph d|phd|ph d thesis|ph d dissertation
        |habilitation|student thesis|graduate thesis|thesis unpublished|dissertation unpublished
        |dissertation thesis unpublished|dissertations these|diplomarbeit|doctoralthesis
        |msc thesis|undergraduate thesis|master dissertation|dissertations academic
    """,
    Kind.REPORT: """
        report|technical report|techreport|research report|government report|government document
        |govdoc|rprt|report component|report series|reports research|report research
        |reports evaluative|report evaluative|reports descriptive|report descriptive|white paper
        |policy brief|policy paper|policy report|annual report|grey literature|gray literature
        |project report|health technology assessment|hta|government publication
        |gov doc|working paper report|industry report|reports general
        |official publication|technical brief|evaluation report|publication report
    """,
    Kind.TRIAL: """
        trial|trial registry record|trial registration|trial register|clinical trial record
        |clinical trial registration|clinical trial registry|registered trial|trial registry
        |clinical trial register|registry record|clinicaltrial|clinical trials gov
    """,
    Kind.ERRATUM: """
        erratum|errata|corrigendum|corrigenda|correction|published erratum|corrected article
        |addendum|correction notice|publisher correction|author correction|erratum correction
        |correction republished article|correction addition|article correction
        |erratum corrigendum|corrected and republished article|expression of concern
    """,
    Kind.RETRACTION: """
        retraction|retraction of publication|retraction notice|retracted|retracted publication
        |retracted article|article retracted publication|withdrawal|withdrawn|withdrawal notice
        |withdrawn publication|retracted paper|tombstone|removal|article retraction
        |article retracted|review retracted publication|partial retraction|item withdrawn
        |proceedings paper retracted publication
    """,
    Kind.OTHER: """
        other|art|art work|dataset|data set|data|database|dbase|software
        |computer program|computer software|comp|web page|webpage|website|web site|web|elec|blog
        |blog post|post weblog|weblog|internet|internet communication|icomm|online database
        |online multimedia|online source|online|web resource|patent|pat|standard|stand|legal
        |legislation|statute|stat|bill|unbill|case|legal case|legal rule or regulation|hearing|hear
        |map|music|musical score|sound|audio|audio recording|audiovisual|audiovisual material|advs
        |video|video recording|video audio media|film|motion picture|mpct|movie
        |film or broadcast|podcast|pod|broadcast|image|figure|chart|chart or table|graphic|artwork
        |equation|equa|interview|intv|personal communication|pcomm|letter personal
        |email|e mail|instant message|forum post|press release|press|news item|newsitem|catalog|ctlg
        |aggregated database|aggr|multimedia|multi|grant|grnt|biography|portrait|manscpt
        |hand written|peer review|paratext|bibliography|directory|interactive tutorial|lecture note
        |social media|social medium|tv broadcast|radio broadcast|physical object
        |slide|supplementary material
    """,
}
_KINDS = {
    word: kind
    for kind, words in _WORDS.items()
    for word in (" ".join(piece.split()) for piece in words.split("|"))
}

_BY_WORD = (
    (Kind.RETRACTION, re.compile(r"\b(?:retract(?:ed|ion)|withdrawn)\b")),
    (Kind.ERRATUM, re.compile(r"\b(?:erratum|errata|corrigend(?:um|a)|published erratum)\b")),
    (Kind.PREPRINT, re.compile(r"\bpre ?prints?\b|\bposted content\b")),
    (Kind.THESIS, re.compile(r"\b(?:thes[ie]s|dissertations?)\b")),
    (Kind.CHAPTER, re.compile(r"\bchapters?\b|\bbook (?:section|part)s?\b")),
    (Kind.CONFERENCE, re.compile(r"\b(?:conference|proceedings?|congress|symposium|meeting)\b")),
    (Kind.TRIAL, re.compile(r"\btrial (?:regist|record)")),
    (Kind.ARTICLE, re.compile(r"\b(?:journal|article|review)\b")),
    (Kind.BOOK, re.compile(r"\b(?:book|monograph)s?\b")),
    (Kind.REPORT, re.compile(r"\breports?\b")),
)
"""For what stands in no list, the most telling word first."""

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
    return len(text) <= _LONGEST and _listed(text) is not None


def _on_preprint_server(sources: Iterable[str]) -> bool:
    short = (source for source in sources if len(source) <= _LONGEST_SERVER)
    return any(map(_PREPRINT_SERVER.search, short))


@lru_cache(maxsize=4096)
def _one(text: str) -> Kind | None:
    if len(text) > _LONGEST or "://" in text or "10." in text:  # an address or a DOI
        return None
    words = _words(_WITHIN_CAMEL_CASE.sub(" ", text))
    return _listed(text) or next((k for k, pattern in _BY_WORD if pattern.search(words)), None)


def _listed(text: str) -> Kind | None:
    whole, split = _words(text), _words(_WITHIN_CAMEL_CASE.sub(" ", text))
    variants = (whole, whole.removesuffix("s"), split)
    return next((_KINDS[words] for words in variants if words in _KINDS), None)


def _words(text: str) -> str:
    return _NOT_LETTERS.sub(" ", text).strip().lower()
