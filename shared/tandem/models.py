"""Every table, imported so that the registry knows it."""

from tandem.accounts.models import IdempotentRequest, SignIn, Token, User
from tandem.db.base import Base
from tandem.events.log import Event
from tandem.ranking.models import Encoding, Ranking, SentenceVector, Training
from tandem.records.duplicates.models import DuplicateGroup, DuplicateMember, RecordRelation
from tandem.records.models import Import, Record
from tandem.reviews.models import Member, PolicyVersion, Review
from tandem.screening.models import (
    Conflict,
    Decision,
    Lease,
    PresentDecision,
    Resolution,
    ScreenedRecord,
    Served,
)

__all__ = [
    "Base",
    "Conflict",
    "Decision",
    "DuplicateGroup",
    "DuplicateMember",
    "Encoding",
    "Event",
    "IdempotentRequest",
    "Import",
    "Lease",
    "Member",
    "PolicyVersion",
    "PresentDecision",
    "Ranking",
    "Record",
    "RecordRelation",
    "Resolution",
    "Review",
    "ScreenedRecord",
    "SentenceVector",
    "Served",
    "SignIn",
    "Token",
    "Training",
    "User",
]
