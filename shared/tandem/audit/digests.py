"""A digest of all entries for a record in a stage. Pure.

It is made twice, from the rows of the ledger and from the log: if a row is changed, missing or
added, the digests differ.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

NOTHING = b""
"""The digest of a ledger without entries."""


def add(before: bytes, entry: Mapping[str, Any]) -> bytes:
    """Return the digest of a ledger with one entry more.

    SHA-256 of the digest before as hexadecimal digits, a newline and the entry as JSON: keys
    sorted, no spaces, UTF-8, nothing escaped that need not be. It is kept as bytes, because there
    is one for each record with a decision.
    """
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    logged = f"{before.hex()}\n{text}"
    # A few broken files hold lone surrogates, which are not valid UTF-8.
    return hashlib.sha256(logged.encode(errors="surrogatepass")).digest()


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
        data: The public data of its event.
        detail: The detail that the trail keeps.
    """
    entry = {name: data[name] for name in _TOLD} | {name: detail[name] for name in _DETAIL}
    seconds = detail["seconds"]
    # As a float, and not -0.0: PostgreSQL's JSON may change both.
    entry["seconds"] = None if seconds is None else float(seconds) + 0.0
    entry["carried_from"] = data.get("carried_from")
    return entry | _classified(detail)


def _classified(logged: Mapping[str, Any]) -> dict[str, Any]:
    """Return the classification that goes with an include, where there is one."""
    found = logged.get("classification")
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


def resolution(logged: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolution as the trail has it, without the entry that it is in."""
    return {name: logged[name] for name in _RESOLUTION} | _classified(logged)
