"""Every table, imported so that the registry knows it."""

from tandem.accounts.models import AccountLink, Attempts, IdempotentRequest, SignIn, Token, User
from tandem.db.base import Base
from tandem.events.log import Event
from tandem.events.positions import ConsumerLease, EventPosition
from tandem.handover.models import CodeBook, SynthesisCode
from tandem.ranking.models import Encoding, Ranking, SecondLook, SentenceVector, Training
from tandem.records.duplicates.models import DuplicateGroup, DuplicateMember, RecordRelation
from tandem.records.models import Import, Record, Removal, Wave
from tandem.reports.models import NearMiss, Rating, Study, StudyReport
from tandem.reviews.models import Member, PolicyVersion, Review
from tandem.screening.full_text.models import Retrieval
from tandem.screening.lease_models import Lease, Served
from tandem.screening.models import Conflict, Decision, PresentDecision, Resolution, ScreenedRecord
from tandem.screening.people.models import Interest
from tandem.stopping.models import Audit, AuditDraw
from tandem.synthesis.models import CodedPassage, SynthesisImport
from tandem.texts.models import ReportText, TextBatch, TextBatchItem, TextFile
from tandem.webhooks.models import Webhook, WebhookDelivery

__all__ = [
    "AccountLink",
    "Attempts",
    "Audit",
    "AuditDraw",
    "Base",
    "CodeBook",
    "CodedPassage",
    "Conflict",
    "ConsumerLease",
    "Decision",
    "DuplicateGroup",
    "DuplicateMember",
    "Encoding",
    "Event",
    "EventPosition",
    "IdempotentRequest",
    "Import",
    "Interest",
    "Lease",
    "Member",
    "NearMiss",
    "PolicyVersion",
    "PresentDecision",
    "Ranking",
    "Rating",
    "Record",
    "RecordRelation",
    "Removal",
    "ReportText",
    "Resolution",
    "Retrieval",
    "Review",
    "ScreenedRecord",
    "SecondLook",
    "SentenceVector",
    "Served",
    "SignIn",
    "Study",
    "StudyReport",
    "SynthesisCode",
    "SynthesisImport",
    "TextBatch",
    "TextBatchItem",
    "TextFile",
    "Token",
    "Training",
    "User",
    "Wave",
    "Webhook",
    "WebhookDelivery",
]
