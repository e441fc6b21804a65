"""People who may sign in, and how they prove who they are."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import TokenId, UserId


class User(Base):
    """A person. The e-mail address is stored in lower case and is unique."""

    __tablename__ = "user_account"

    id: Mapped[UserId] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool]
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
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class SignIn(Base):
    """A browser's session. Only the SHA-256 of its cookie is kept."""

    __tablename__ = "sign_in"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


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
