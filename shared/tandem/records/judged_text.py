"""Digests of what people are shown of a record while they judge it. Pure.

The audit trail seals them: when an import ends, and with each correction.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FIELDS = (
    *("title", "abstract", "authors", "year", "journal", "volume", "issue", "pages"),
    *("doi", "pmid", "url", "keywords", "language", "kind"),
)
"""Attributes of a record, as they are stored."""

NOTHING = ""
"""The digest of an import that has brought no record yet."""


def digest(fields: Mapping[str, Any]) -> bytes:
    """Return SHA-256 of a record's `FIELDS` as JSON: keys sorted, no spaces, nothing escaped.

    Args:
        fields: At least the `FIELDS`, by name.
    """
    shown = {name: fields[name] for name in FIELDS}
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def roll(before: str, number: int, of_text: bytes) -> str:
    """Return the digest of an import with one record more, as 64 hexadecimal digits.

    SHA-256 of the digest before, a newline, the record's number, a space and its digest in
    hexadecimal digits. An import's records follow each other by number.
    """
    return hashlib.sha256(f"{before}\n{number} {of_text.hex()}".encode()).hexdigest()
