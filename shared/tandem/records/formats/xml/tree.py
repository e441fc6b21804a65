"""A record of XML as a tree: nothing in it is ever expanded, what is escaped wrongly is mended."""

import html
import re
import sys

from lxml import etree
from lxml.etree import _Element as Element

_PREFIXES = re.compile(r"[</\s](?!xml)([a-z_][\w.-]{0,60}):(?=[a-z_])", re.I | re.ASCII)
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBERED = re.compile(r"&#([0-9]{1,9}|x[0-9a-f]{1,8});", re.I | re.ASCII)
_AMPERSAND = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)"
    r"(?:([A-Za-z][A-Za-z0-9]{1,31});)?"
)
_LESS_THAN = re.compile(r"<(?![A-Za-z_/?]|!--|!\[CDATA\[)|<(?=/?[^!<>][^<>]{0,200}(?:<|\Z))")
_HTML = re.compile(
    r"</?(?:a|abbr|b|big|br|center|div|em|font|h[1-6]|hr|i|img|li|o:p|ol|p|small|span|strike"
    r"|strong|sub|sup|tt|u|ul)(?:\s[^<>]*)?/?>",
    re.I,
)


class Malformed(Exception):
    """The text is not well-formed XML, and no harmless repair makes it so."""


def parse(record: str) -> Element:
    """Return the tree of one record's text, less namespaces; comments are dropped.

    Signs that must be escaped and are not, entities of HTML, characters that XML excludes and
    prefixes that nobody declared do no harm. HTML in a value that does not add up is dropped.

    Raises:
        Malformed: It cannot be read even so.
    """
    reason = ""
    for repair in (_unchanged, _declared, _repaired, _without_html):
        try:
            (element,) = etree.fromstring(repair(record), _parser())
        except (etree.XMLSyntaxError, ValueError) as error:
            reason = str(error).split(", line ")[0].strip()
            continue
        for each in element.iter():
            each.tag = str(each.tag).rpartition("}")[2]
        return element
    raise Malformed(reason)


def text_of(element: Element | None) -> str:
    """Return all text within `element`, tags left out; empty for None."""
    return "" if element is None else "".join(element.itertext())


def texts(element: Element, *paths: str) -> list[str]:
    """Return the text of every element at `paths`, in the order of `paths`, empty ones not.

    Each is on one line: files are often indented, values and all.
    """
    found = (text_of(each).split() for path in paths for each in element.iterfind(path))
    return [" ".join(words) for words in found if words]


def first(element: Element, *paths: str) -> str:
    """Return the first text at `paths`, or an empty one."""
    return next(iter(texts(element, *paths)), "")


def name(family: str, given: str) -> str:
    """Return a person's name of its parts, of which one may be missing."""
    return ", ".join(filter(None, (family.strip(), given.strip())))


def element(tag: str, text: str) -> Element:
    """Return an element that holds `text`."""
    made = etree.Element(tag)
    made.text = text
    return made


def _parser() -> etree.XMLParser:
    """Return a parser that looks nothing up and expands nothing, with libxml2's own limits."""
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _unchanged(record: str) -> str:
    return f"<file>{record}</file>"


def _declared(record: str) -> str:
    """Declare the prefixes of names: the file does so outside of the record, or not at all."""
    names = sorted(set(_PREFIXES.findall(record)))
    declared = "".join(f' xmlns:{name}="{name}"' for name in names)
    return f"<file{declared}>{record}</file>"


def _repaired(record: str) -> str:
    return _declared(_escaped_throughout(record))


def _without_html(record: str) -> str:
    return _declared(_HTML.sub(" ", _escaped_throughout(record)))


def _escaped_throughout(record: str) -> str:
    """Escape what should be, and drop the characters that XML cannot hold."""
    record = _NUMBERED.sub(_valid_number, _INVALID.sub("", record))
    return _LESS_THAN.sub("&lt;", _AMPERSAND.sub(_escaped, record))


def _valid_number(reference: re.Match[str]) -> str:
    number = reference[1]
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    return "" if code > sys.maxunicode or _INVALID.match(chr(code)) else reference[0]


def _escaped(ampersand: re.Match[str]) -> str:
    # An entity of the file's own stays as it is written: it is never looked up.
    meaning = html.unescape(ampersand[0]) if ampersand[1] else ampersand[0]
    return html.escape(meaning, quote=False)
