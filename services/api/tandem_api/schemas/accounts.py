"""Accounts, tokens, signing in."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
)

from tandem.accounts.models import Scope, SignIn, Token, User
from tandem_api.schemas.base import (
    Id,
    In,
    Line,
    Out,
    PersonId,
    PersonName,
    PlainText,
    Time,
    storable,
)

Email = Annotated[PlainText, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
NewEmail = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"
    ),
    AfterValidator(storable),
]


_SHORTEST, _LONGEST = 8, 500


def _of_some_length(value: Any) -> Any:
    # The framework's own words for a secret count its "items".
    if isinstance(value, str) and not _SHORTEST <= len(value) <= _LONGEST:
        raise ValueError(f"must have {_SHORTEST} to {_LONGEST} characters")
    return value


Password = Annotated[
    SecretStr,
    Field(min_length=_SHORTEST, max_length=_LONGEST),
    BeforeValidator(_of_some_length),
]


class SignInIn(In):
    email: Email = Field(examples=["ann@example.org"])
    password: Annotated[SecretStr, Field(max_length=500)] = Field(
        examples=["correct horse battery"]
    )


class UserIn(In):
    email: NewEmail = Field(examples=["ann@example.org"])
    name: Line = Field(examples=["Ann Lee"])
    password: Password | None = Field(default=None, examples=["correct horse battery"])
    is_admin: StrictBool = False


class UserOut(Out):
    id: PersonId
    email: str = Field(examples=["ann@example.org"])
    name: PersonName
    is_admin: bool
    is_active: bool = Field(examples=[True])

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(
            id=str(user.id),
            email=user.email,
            name=user.name,
            is_admin=user.is_admin,
            is_active=user.is_active,
        )


class MeOut(UserOut):
    """Yourself, with what a client keeps for you."""

    preferences: dict[str, Any] = Field(examples=[{"theme": "dark"}])

    @classmethod
    def of(cls, user: User) -> "MeOut":
        return cls(**UserOut.of(user).model_dump(), preferences=user.preferences)


_MOST_PREFERENCES, _DEEPEST = 16 * 1024, 8


def _is_deeper(part: Any, levels: int) -> bool:
    if not isinstance(part, dict | list):
        return False
    inside = part.values() if isinstance(part, dict) else part
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)


def _small(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("must be JSON without NaN and Infinity, and not nested deeply") from None
    if len(text) > _MOST_PREFERENCES:
        raise ValueError("must have at most 16 KiB as JSON")
    if _is_deeper(value, _DEEPEST):
        raise ValueError(f"must not be nested deeper than {_DEEPEST} levels")
    if "\\u0000" in text:
        raise ValueError("must not contain the NUL character")
    return value


class ProfilePatch(In):
    name: Line | None = Field(default=None, examples=["Ann Lee"])
    preferences: Annotated[dict[str, Any], AfterValidator(_small)] | None = Field(
        default=None, description="At most 16 KiB as JSON.", examples=[{"theme": "dark"}]
    )


class PasswordChangeIn(In):
    current: Annotated[SecretStr, Field(max_length=_LONGEST)] = Field(
        examples=["correct horse battery"]
    )
    new: Password = Field(examples=["staple tandem orbit"])


class UserPatch(In):
    """What is left out stays."""

    name: Line | None = Field(default=None, examples=["Ann Lee"])
    email: NewEmail | None = Field(
        default=None,
        description="What they sign in with from now on.",
        examples=["ann.lee@example.org"],
    )
    is_active: StrictBool | None = Field(
        default=None, description="False: switched off.", examples=[False]
    )
    is_admin: StrictBool | None = None


class ResetLinkOut(Out):
    """A link to choose a new password by, which is shown this once."""

    link: str = Field(examples=["https://tandem.example.org/reset/6oXl…"])
    expires_at: datetime = Field(examples=["2026-11-24T09:30:00Z"])


class ResetIn(In):
    token: PlainText = Field(
        description="What stands behind `/reset/` in the link.",
        max_length=200,
        examples=["6oXlJ4yq…"],
    )
    password: Password = Field(examples=["correct horse battery"])


class SetupOut(Out):
    needed: bool = Field(description="True: there is no account yet.", examples=[True])


class SetupIn(In):
    token: PlainText = Field(
        description="What `tandem up` prints.", max_length=200, examples=["6oXlJ4yq…"]
    )
    name: Line = Field(examples=["Ann Lee"])
    email: NewEmail = Field(examples=["ann@example.org"])
    password: Password = Field(examples=["correct horse battery"])


class SessionOut(Out):
    """Where somebody is signed in with a browser. Times of use are exact to some minutes."""

    id: Id
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime = Field(
        description="If it is not used until then.", examples=["2026-11-26T09:30:00Z"]
    )
    source: str | None = Field(
        description="The address that it was started from.", examples=["203.0.113.7"]
    )
    user_agent: str | None = Field(
        description="What the browser calls itself.",
        examples=["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
    )
    current: bool = Field(description="True: the session that asks.", examples=[True])

    @classmethod
    def of(cls, one: SignIn, *, mine: UUID | None) -> "SessionOut":
        return cls(
            id=str(one.id),
            created_at=one.created_at,
            last_used_at=one.last_used_at,
            expires_at=min(one.expires_at, one.idle_until),
            source=one.source,
            user_agent=one.user_agent,
            current=one.id == mine,
        )


class TokenIn(In):
    name: Line = Field(examples=["screening front-end"])
    expires_at: Time | None = Field(
        default=None,
        description="Null: it does not expire, or with the token that makes it.",
        examples=["2027-11-23T00:00:00Z"],
    )
    scope: Scope = Field(
        default=Scope.MANAGE,
        description="`read`: nothing is changed by it. `screen`: also decides, settles and "
        "discusses. `manage`: all that the account may.",
        examples=["screen"],
    )


class TokenOut(Out):
    id: Id
    name: str = Field(examples=["screening front-end"])
    scope: Scope = Field(examples=["screen"])
    created_at: datetime
    expires_at: datetime | None = Field(examples=["2027-11-23T00:00:00Z"])
    last_used_at: datetime | None = Field(description="Exact to some minutes; null: never.")

    @classmethod
    def of(cls, token: Token) -> "TokenOut":
        return cls(
            id=str(token.id),
            name=token.name,
            scope=token.scope,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


class NewTokenOut(TokenOut):
    """A token with its secret, which is shown this once."""

    token: str = Field(examples=["tandem_6oXl…"])
