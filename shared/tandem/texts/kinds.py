"""What sort of file was sent, by what is in it; its name tells nothing."""

import re
from enum import StrEnum

BEGINNING = 4096
"""Bytes that are looked at. PDFs may begin with other bytes, at most 1,024."""

_LONGEST_NAME = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]+')
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<[!?a-z]", re.I)


class MediaType(StrEnum):
    """The kinds of file that a report's text may come in."""

    PDF = "application/pdf"
    WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PLAIN = "text/plain"


EXTENSIONS = {MediaType.PDF: ".pdf", MediaType.WORD: ".docx", MediaType.PLAIN: ".txt"}


def media_type(beginning: bytes, filename: str) -> MediaType | None:
    """Return what a file is by its first bytes; None where it is nothing that is read here.

    `filename` decides only whether what looks like text is meant as one. A web page is none,
    whatever it is called.
    """
    if _MARKUP.match(beginning):
        return None
    if b"%PDF-" in beginning[:1024]:
        return MediaType.PDF
    if beginning.startswith(b"PK\x03\x04"):
        return MediaType.WORD if filename.lower().endswith(".docx") else None
    if filename.lower().endswith((".txt", ".text")) and not _NOT_TEXT.search(beginning):
        return MediaType.PLAIN
    return None


def is_zip(beginning: bytes) -> bool:
    return beginning.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def safe_name(filename: str, kind: MediaType | None = None) -> str:
    """Return a file's own name without folders and without what a disk or a header minds.

    It ends as files of its kind do.
    """
    name = _UNSAFE.sub(" ", filename.replace("\\", "/").rsplit("/", 1)[-1])
    name = " ".join("".join(c for c in name if c.isprintable()).split())
    if kind is None:
        stem, dot, end = name.rpartition(".")
        extension = f".{end}" if dot and stem else ""
    else:
        extension = EXTENSIONS[kind]
    stem = name[: -len(extension)] if name.lower().endswith(extension.lower()) else name
    stem = stem if extension else name
    return f"{stem[: _LONGEST_NAME - len(extension)].strip('. ') or 'unnamed'}{extension}"
