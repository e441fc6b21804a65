"""What every table shares: names of constraints, times in UTC, typed ids."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, Integer, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from tandem.ids import (
    AuditId,
    CodeBookId,
    CodeId,
    ConflictId,
    DecisionId,
    DeliveryId,
    DuplicateGroupId,
    ImportId,
    InvitationId,
    MessageId,
    RankingId,
    RecordNumber,
    ReviewId,
    StudyId,
    SynthesisImportId,
    TextBatchId,
    TextFileId,
    TextId,
    TokenId,
    UserId,
    WebhookId,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored and returned in UTC on either engine."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("Only aware times are stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """The registry of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute
        datetime: UtcDateTime(),
        str: Text(),
        bytes: LargeBinary(),
        list[str]: Json,
        dict[str, Any]: Json,
        list[dict[str, Any]]: Json,
        UUID: Uuid(),
        UserId: Uuid(),
        TokenId: Uuid(),
        ReviewId: Uuid(),
        ImportId: Uuid(),
        DecisionId: Uuid(),
        ConflictId: Uuid(),
        DuplicateGroupId: Uuid(),
        AuditId: Uuid(),
        StudyId: Uuid(),
        CodeId: Uuid(),
        CodeBookId: Uuid(),
        SynthesisImportId: Uuid(),
        TextId: Uuid(),
        TextFileId: Uuid(),
        TextBatchId: Uuid(),
        RankingId: Uuid(),
        InvitationId: Uuid(),
        MessageId: Uuid(),
        WebhookId: Uuid(),
        DeliveryId: Uuid(),
        RecordNumber: Integer(),
    }


def now() -> datetime:
    return datetime.now(UTC)
