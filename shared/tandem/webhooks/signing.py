"""Signatures by the Standard Webhooks specification, version 1 (HMAC-SHA256)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook as Signer

OLD_SECRET_LASTS = timedelta(hours=24)
"""After a rotation both secrets sign for so long, so that receivers can change over."""

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return 256 random bits as the specification writes them: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def headers(body: str, *, event_id: str, at: datetime, keys: Sequence[str]) -> dict[str, str]:
    """Return the three headers of a message.

    Args:
        body: As it is sent, to the byte.
        event_id: The same each time this event is sent.
        at: When this attempt is made.
        keys: Every secret that is valid now; there is one signature for each.
    """
    # The library takes any time for one in UTC.
    moment = at.astimezone(UTC)
    signatures = [Signer(key).sign(msg_id=event_id, timestamp=moment, data=body) for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
