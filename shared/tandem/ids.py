"""Typed identifiers. On the outside each of them is an opaque string."""

from typing import NewType
from uuid import UUID, uuid4

from tandem.errors import NotFound

UserId = NewType("UserId", UUID)
TokenId = NewType("TokenId", UUID)
ReviewId = NewType("ReviewId", UUID)
ImportId = NewType("ImportId", UUID)
DecisionId = NewType("DecisionId", UUID)
ConflictId = NewType("ConflictId", UUID)
RankingId = NewType("RankingId", UUID)
InvitationId = NewType("InvitationId", UUID)
MessageId = NewType("MessageId", UUID)
WebhookId = NewType("WebhookId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
DuplicateGroupId = NewType("DuplicateGroupId", UUID)
AuditId = NewType("AuditId", UUID)
TextId = NewType("TextId", UUID)
TextFileId = NewType("TextFileId", UUID)
TextBatchId = NewType("TextBatchId", UUID)
StudyId = NewType("StudyId", UUID)
CodeId = NewType("CodeId", UUID)
CodeBookId = NewType("CodeBookId", UUID)
SynthesisImportId = NewType("SynthesisImportId", UUID)
RecordNumber = NewType("RecordNumber", int)
"""A record within its review: 1, 2, 3, … in the order of arrival. Its id outside."""

_LARGEST_RECORD_NUMBER = 2**31 - 1
_MOST_DIGITS = 10


def new_id() -> UUID:
    return uuid4()


def parse_uuid(text: str, *, kind: str) -> UUID:
    """Read an id that came from outside; one that cannot exist is simply not found."""
    try:
        return UUID(hex=text)
    except ValueError:
        raise NotFound(f"There is no {kind} {text!r}.") from None


def parse_record_number(text: str) -> RecordNumber:
    """Read a record id that came from outside; one that cannot exist is not found."""
    # The length first: Python refuses to read thousands of digits.
    is_number = len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()
    if not is_number or int(text) > _LARGEST_RECORD_NUMBER:
        raise NotFound(f"There is no record {text!r} in this review.")
    return RecordNumber(int(text))
