"""Accounts, tokens, signing in."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
)

from tandem.accounts.models import Token, User
from tandem_api.schemas.base import In, Line, Out, PlainText, Time, storable

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
    id: str
    email: str
    name: str
    is_admin: bool

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(id=str(user.id), email=user.email, name=user.name, is_admin=user.is_admin)


class TokenIn(In):
    name: Line = Field(examples=["screening front-end"])
    expires_at: Time | None = Field(default=None, description="Null: it does not expire.")


class TokenOut(Out):
    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenOut":
        return cls(
            id=str(token.id),
            name=token.name,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )


class NewTokenOut(TokenOut):
    """A token with its secret, which is shown this once."""

    token: str = Field(examples=["tandem_6oXl…"])
