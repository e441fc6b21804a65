"""What is stored of the people who screen."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.screening.models import record_key


class Interest(Base):
    """Whether somebody has an interest in a record, as its author or otherwise.

    `author` is the name among its authors that is like theirs; `declared` their answer
    themselves, which counts for more.
    """

    __tablename__ = "interest"
    __table_args__ = (record_key(), Index(None, "review_id", "record_number"))

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    author: Mapped[str | None]
    declared: Mapped[bool | None]
    at: Mapped[datetime]
