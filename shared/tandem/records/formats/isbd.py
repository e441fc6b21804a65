"""Titles, names and dates as library cataloguers write them, less the signs between them."""

import re

_ENDING = re.compile(r"(?:\s*[/:;=,]|\s+\.)+\s*$")
_MEDIUM = re.compile(
    r"\s*\[(?:electronic resource|microform|sound recording|videorecording"
    r"|computer file|elektronische ressource|ressource électronique)[^\]]{0,60}\]",
    re.I,
)
_LIFE = re.compile(
    r"[\s,(]+(?:(?:b|d|ca|fl|active|approximately|born|died|geb)\.?\s*)?"
    r"(?:1[0-9]{3}|20[0-9]{2})\??(?:\s*[-–]\s*(?:(?:ca\.?|approximately)\s*)?(?:[12][0-9]{3}\??)?"
    r"|-\.\.\.)?\)?\.?$"
)
_ROLE = re.compile(
    r"[\s,]+\(?(?:author|editor|translator|verfasser|herausgeber|hrsg|éditeur|auteur|illustrator"
    r"|compiler|contributor|joint author|ed|eds|aut|edt|comp|ill|trl|vrf)(?:in|\.)?\)?\.?$",
    re.I,
)
_LONGEST_NAME = 500


def title(*parts: str) -> str:
    """Return a title of its parts (title, rest, number, name), as one reads it aloud.

    The signs that announce the next part stay only where one comes: `Anger : a history /`
    becomes `Anger: a history`.
    """
    text = ""
    for part in filter(None, (" ".join(p.split()) for p in parts)):
        announced = text.rstrip()[-1:] if text else ""
        bare = _bare(text)
        if not text:
            text = part
        elif announced in ".;=,":
            text = f"{bare}{announced if announced != '=' else ' ='} {part}"
        else:
            text = f"{bare}{':' if bare[-1:].isalnum() or bare[-1:] in ')]' else ''} {part}"
    return re.sub(r"(?<=\S)\s+(?=[:;]\s)", "", _bare(text))


def name(text: str) -> str:
    """Return a person's or body's name, less years of life, a role and the sign after it."""
    text = " ".join(text[:_LONGEST_NAME].split())
    text = _LIFE.sub("", _ROLE.sub("", text.rstrip(" ,;:/")))
    text = text.rstrip(" ,;:/")
    # The full stop of an initial belongs to the name, any other to the field.
    return text.removesuffix(".") if re.search(r"[^\W\d_]{3}\.$", text) else text


def keyword(text: str) -> str:
    """Return a heading less the full stop that closes its field."""
    text = text.strip(" ,;:/")
    return text.removesuffix(".") if re.search(r"[^\W_]{3}\.$", text) else text


def _bare(text: str) -> str:
    return _ENDING.sub("", _MEDIUM.sub("", text)).strip()
