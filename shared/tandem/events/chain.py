"""The chain of hashes that makes a review's log an audit trail. Pure.

Every entry's hash covers the hash before it, so no entry can be changed, removed or added without a
change of every later hash. The parts that an event keeps private (verdicts, names of actors, the
state before and after) are its `detail`. The hash covers a salted digest of it, the seal: so a
detail may be left out of a copy of the trail, and neither the seal nor any hash lets anybody guess
it, while the chain can still be followed.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

START = ""
"""The hash before the first entry."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """The public content of an event, with its number in the full log."""

    seq: int
    id: str
    type: str
    time: datetime
    subject: str | None
    data: Mapping[str, Any]


def new_salt() -> str:
    """Return 128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def seal(detail: Mapping[str, Any], salt: str) -> str:
    """Return SHA-256 of the salt, a newline and the detail, as 64 hexadecimal digits.

    Args:
        detail: As JSON: keys sorted, no spaces, UTF-8, nothing escaped that need not be.
        salt: As `new_salt` made it.
    """
    return _sha256(f"{salt}\n{_canonical(detail)}")


def link(before: str, event: LoggedEvent, sealed: str) -> str:
    """Return the hash of an entry, as 64 hexadecimal digits.

    SHA-256 of the hash before, a newline, the event as JSON (as in `seal`; the time in UTC, in
    ISO 8601 with microseconds and `+00:00`), a newline and the seal of the detail.
    """
    entry = {
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "time": event.time.astimezone(UTC).isoformat(timespec="microseconds"),
        "subject": event.subject,
        "data": event.data,
    }
    return _sha256(f"{before}\n{_canonical(entry)}\n{sealed}")


def _canonical(value: Mapping[str, Any]) -> str:
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    # A few broken files hold lone surrogates, which are not valid UTF-8.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
