"""People who may sign in, and how they prove who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import TokenId, UserId

IMPORTED = "@imported.invalid"
"""How the addresses end of the accounts that stand for people named in files."""


class Scope(StrEnum):
    """How much of what its person may do a token may do. Each includes the one before."""

    READ = "read"
    SCREEN = "screen"
    MANAGE = "manage"

    def reaches(self, least: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(least)


class LinkPurpose(StrEnum):
    SETUP = "setup"
    RESET = "reset"


def _words(of: type[StrEnum]) -> Enum:
    return Enum(
        of,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda kind: [member.value for member in kind],
    )


class User(Base):
    """A person. The e-mail address is stored in lower case and is unique.

    Who is not active cannot sign in and has no tokens; their decisions stay.
    """

    __tablename__ = "user_account"

    id: Mapped[UserId] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime]


class Token(Base):
    """A secret that a machine shows as a Bearer token. Only its SHA-256 is kept."""

    __tablename__ = "access_token"

    id: Mapped[TokenId] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[Scope] = mapped_column(
        _words(Scope), default=Scope.MANAGE, server_default=Scope.MANAGE.value
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class SignIn(Base):
    """A browser's session. Only the SHA-256 of its cookie is kept.

    It holds until `idle_until`, which moves on while it is used, and at most until `expires_at`.
    `source` is the address it came from, `user_agent` what the browser calls itself.
    """

    __tablename__ = "sign_in"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    idle_until: Mapped[datetime]
    last_used_at: Mapped[datetime]
    source: Mapped[str | None]
    user_agent: Mapped[str | None]


class AccountLink(Base):
    """A link that is good once: to set the installation up, or to choose a new password.

    Only the SHA-256 of its secret is kept. `user_id` is None for a setup: there is no account yet.
    """

    __tablename__ = "account_link"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[LinkPurpose] = mapped_column(_words(LinkPurpose))
    user_id: Mapped[UserId | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Attempts(Base):
    """How many attempts to guess a secret there were lately, of one pair or one source.

    `key` is a hash: what was typed as an address may be a password. `level` counts attempts and
    sinks with time; until `blocked_until` there is no further one.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "counted_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[float]
    counted_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class IdempotentRequest(Base):
    """A write that was done once; asked for again by the same key, it is answered from here."""

    __tablename__ = "idempotent_request"
    __table_args__ = (Index(None, "created_at"),)

    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
