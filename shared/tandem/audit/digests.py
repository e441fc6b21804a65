"""A digest of all that was ever entered for a record in a stage. Pure.

Made twice, of the rows of the ledger and of what the log tells of them: where a row is another
one, or one is missing or too many, the digests differ.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

NOTHING = b""
"""Of a ledger without entries."""


def add(before: bytes, entry: Mapping[str, Any]) -> bytes:
    """Return the digest of a ledger with one entry more.

    SHA-256 of the digest before as hexadecimal digits, a newline and the entry as JSON: keys
    sorted, no spaces, UTF-8, nothing escaped that need not be. Kept as bytes, as there is one for
    each record that was ever decided.
    """
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    told = f"{before.hex()}\n{text}"
    # Lone surrogates, which a few broken files carry, are no UTF-8.
    return hashlib.sha256(told.encode(errors="surrogatepass")).digest()


_TOLD = ("reviewer_id", "labels_seq")
_DETAIL = (
    "verdict",
    "reasons",
    "labels",
    "note",
    "informed",
    "rank",
    "ranking_id",
    "criteria_version",
    "second_in",
    "entered_by",
)


def ledger_entry(data: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of the ledger as it goes into the digest.

    Args:
        data: What an event about it tells.
        detail: What the trail keeps of it.
    """
    entry = {name: data[name] for name in _TOLD} | {name: detail[name] for name in _DETAIL}
    seconds = detail["seconds"]
    # As a float, and not -0.0: a log kept as PostgreSQL's JSON gives back neither for certain.
    entry["seconds"] = None if seconds is None else float(seconds) + 0.0
    entry["carried_from"] = data.get("carried_from")
    return entry | _classified(detail)


def _classified(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the classification that goes with an include, where there is one."""
    found = told.get("classification")
    return {} if found is None else {"classification": found}


_RESOLUTION = (
    "id",
    "resolver_id",
    "labels_seq",
    "verdict",
    "reasons",
    "note",
    "cause",
    "criterion",
    "carried_from",
)


def resolution(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolution as the trail has it, without the place where it is told of."""
    return {name: told[name] for name in _RESOLUTION} | _classified(told)
