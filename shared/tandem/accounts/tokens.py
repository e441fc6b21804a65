"""How long a token may last that somebody makes."""

from datetime import datetime

from tandem.accounts.access import Access
from tandem.errors import Invalid


def expiry(asked: datetime | None, *, made_by: Access) -> datetime | None:
    """Return when a new token ends: as asked, but never after the token that makes it.

    Raises:
        Invalid: It is asked to last longer than that.
    """
    if made_by.expires_at is None:
        return asked
    if asked is not None and asked > made_by.expires_at:
        raise Invalid(
            "The new token cannot outlive the one that makes it, which ends at "
            f"{made_by.expires_at.isoformat()}.",
            field="expires_at",
        )
    return asked or made_by.expires_at
