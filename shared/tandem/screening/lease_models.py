"""What was served to whom, and which records are held for somebody."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import RankingId, RecordNumber, ReviewId, UserId
from tandem.reviews.models import stored_enum
from tandem.reviews.policy import Stage
from tandem.screening.models import record_key
from tandem.screening.streams import Stream


class Lease(Base):
    """A record that was served to a reviewer and is held for them, or put off by them."""

    __tablename__ = "lease"
    __table_args__ = (
        record_key(),
        Index(None, "review_id", "record_number"),
        Index(None, "review_id", "stage", "user_id"),
    )

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    rank: Mapped[int | None]
    score: Mapped[float | None]
    ranking_id: Mapped[RankingId | None]
    expires_at: Mapped[datetime]
    put_off_at: Mapped[datetime | None]


class Served(Base):
    """One entry of the log of what was served to whom, in which order. Never changed.

    A renewed lease is no new entry. `pick` counts a reviewer's entries in a stage: 1, 2, 3, …
    """

    __tablename__ = "served"
    __table_args__ = (record_key(), Index(None, "review_id", "record_number"))

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(stored_enum(Stage), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    pick: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_number: Mapped[RecordNumber]
    served_at: Mapped[datetime]
    rank: Mapped[int | None]
    ranking_id: Mapped[RankingId | None]
    stream: Mapped[Stream] = mapped_column(stored_enum(Stream))
