"""How much a token must be good for, by route. The one place where scopes are enforced."""

from starlette.requests import Request

from tandem.accounts.models import Scope
from tandem.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

SCREENING = frozenset(
    {
        "next_records",
        "put_off",
        "put_decision",
        "withdraw_decision",
        "put_decisions",
        "confirm_decision",
        "resolve_conflict",
        "vote_again",
        "send_message",
        "add_text",
        "send_texts",
        "settle_text",
        "remove_text",
        "declare_interest",
        "ask_for_ranking",
    }
)
"""Writes of somebody who screens: their own decisions, and their part in settling conflicts."""

MANAGING = frozenset({"list_users"})
"""Reads that belong to the administration of accounts."""


class OutOfScope(Forbidden):
    """The token is good for less than this."""

    code = "insufficient_scope"


def least(method: str, name: str) -> Scope:
    """Return the smallest scope that may call a route, which is known by its function's name."""
    if name in MANAGING:
        return Scope.MANAGE
    if method in SAFE:
        return Scope.READ
    return Scope.SCREEN if name in SCREENING else Scope.MANAGE


def require(request: Request, scope: Scope) -> None:
    """Refuse what is out of a token's scope.

    Raises:
        OutOfScope: The message names the scope that is needed.
    """
    needed = least(request.method, request.scope["route"].name)
    if not scope.reaches(needed):
        raise OutOfScope(
            f"This token has the scope `{scope}`; this needs `{needed}`. Make a token with it."
        )
