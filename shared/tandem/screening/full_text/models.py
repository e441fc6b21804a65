"""Where the team stands with getting hold of each full text."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tandem.db.base import Base
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.models import stored_enum
from tandem.screening.models import record_key


class RetrievalState(StrEnum):
    SOUGHT = "sought"
    REQUESTED = "requested"
    AWAITING_TRANSLATION = "awaiting_translation"
    RETRIEVED = "retrieved"
    NOT_RETRIEVED = "not_retrieved"


class Via(StrEnum):
    """How a full text is got. `ill` is an interlibrary loan; `elsewhere`: read without a file."""

    UPLOAD = "upload"
    OPEN_ACCESS = "open_access"
    ILL = "ill"
    AUTHOR = "author"
    ELSEWHERE = "elsewhere"


class Retrieval(Base):
    """An entry about the retrieval of a full text. Never changed, never removed.

    `seq` is the number of the event that tells it. The newest entry of a record counts. What is
    entered for a record is entered for all that are linked to it, so each of them has an entry.
    """

    __tablename__ = "retrieval"
    __table_args__ = (record_key(),)

    review_id: Mapped[ReviewId] = mapped_column(primary_key=True)
    record_number: Mapped[RecordNumber] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[RetrievalState] = mapped_column(stored_enum(RetrievalState))
    via: Mapped[Via | None] = mapped_column(stored_enum(Via))
    note: Mapped[str | None]
    by_id: Mapped[UserId] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
