"""The catalogue: everything that can happen to a review, as immutable facts.

Facts are thin: ids and public state, never a verdict. `open_to_blinded` says whether a
blinded reviewer may know that it happened at all; where it depends on how others voted
(an outcome, a conflict), it is closed to them.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """Something that happened. `subject` is the id of what it happened to.

    `detail` is for the audit trail alone: who, what, from which state to which. It never leaves
    by the ways that events do, and is not part of the published fact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    open_to_blinded: ClassVar[bool] = True

    detail: dict[str, Any] = Field(default={}, exclude=True, repr=False)

    @property
    def subject(self) -> str | None:
        return None


class ReviewCreated(Fact):
    """The log begins."""

    type = "tandem.review.created"


class ReviewChanged(Fact):
    """Title, question, criteria, policy or another setting is another one now, or its state.

    `changed` is `["archived"]` where the review was archived, `["unarchived"]` where it is
    active again.
    """

    type = "tandem.review.changed"
    changed: list[str]


class MemberAdded(Fact):
    """A person joined, or got another role."""

    type = "tandem.member.added"
    user_id: str
    role: str

    @property
    def subject(self) -> str:
        return self.user_id


class MemberRemoved(Fact):
    """A person has no access any more. Their decisions stay."""

    type = "tandem.member.removed"
    user_id: str

    @property
    def subject(self) -> str:
        return self.user_id


class MemberChanged(Fact):
    """A member paused or came back, or has another share of the work."""

    type = "tandem.member.changed"
    user_id: str
    changed: list[str]

    @property
    def subject(self) -> str:
        return self.user_id


class ImportFinished(Fact):
    """A file was read, and what it brought compared with what was there."""

    type = "tandem.import.finished"
    import_id: str
    n_read: int
    n_added: int
    n_duplicates: int
    n_rejected: int

    @property
    def subject(self) -> str:
        return self.import_id


class ImportFailed(Fact):
    """A file could not be read, or not to its end. What was read of it stays."""

    type = "tandem.import.failed"
    import_id: str
    error: str

    @property
    def subject(self) -> str:
        return self.import_id


class ImportRetried(Fact):
    """A file that had failed is taken up again, behind what was read of it."""

    type = "tandem.import.retried"
    import_id: str

    @property
    def subject(self) -> str:
        return self.import_id


class ImportTakenBack(Fact):
    """An import was undone: its records are gone, and their numbers are not used again."""

    type = "tandem.import.taken_back"
    import_id: str
    n_records: int

    @property
    def subject(self) -> str:
        return self.import_id


class ImportChanged(Fact):
    """The search, way of finding, start or wave of an import was corrected."""

    type = "tandem.import.changed"
    import_id: str
    changed: list[str]

    @property
    def subject(self) -> str:
        return self.import_id


class WaveOpened(Fact):
    """A later search of the review begins."""

    type = "tandem.wave.opened"
    wave: int


class RecordRemoved(Fact):
    """A record was removed before screening: by a tool (`automation`), or for another reason."""

    type = "tandem.record.removed"
    record_id: str
    kind: str

    @property
    def subject(self) -> str:
        return self.record_id


class RecordRestored(Fact):
    """A record that was removed before screening is back."""

    type = "tandem.record.restored"
    record_id: str

    @property
    def subject(self) -> str:
        return self.record_id


class _AboutStudy(Fact):
    study_id: str

    @property
    def subject(self) -> str:
        return self.study_id


class StudyGrouped(_AboutStudy):
    """Reports are of one study: these are all of it now. Grouping changes no vote."""

    type = "tandem.study.grouped"
    record_ids: list[str]


class StudySplit(_AboutStudy):
    """These reports left a study; without its last one it is gone."""

    type = "tandem.study.split"
    record_ids: list[str]


class StudySampled(_AboutStudy):
    """A study is used in the synthesis or not; null: nobody has decided it."""

    type = "tandem.study.sampled"
    open_to_blinded = False
    sampled: bool | None


class StudySeparated(Fact):
    """These reports are not of one study, so it is not proposed again; or may be, once more."""

    type = "tandem.study.separated"
    record_ids: list[str]
    separate: bool


class DuplicatesMerged(Fact):
    """A record turned out to be one that is already there, and was linked to it."""

    type = "tandem.duplicates.merged"
    record_id: str
    duplicate_id: str

    @property
    def subject(self) -> str:
        return self.record_id


class DuplicatesSplit(Fact):
    """A record that was linked to another one stands on its own again."""

    type = "tandem.duplicates.split"
    record_id: str
    duplicate_id: str

    @property
    def subject(self) -> str:
        return self.record_id


class InterestDeclared(Fact):
    """Somebody declared whether they have an interest in a record, as its author or otherwise."""

    type = "tandem.interest.declared"
    open_to_blinded = False
    record_id: str
    user_id: str

    @property
    def subject(self) -> str:
        return self.record_id


class _AboutRecord(Fact):
    record_id: str
    stage: str

    @property
    def subject(self) -> str:
        return self.record_id


class DecisionRecorded(_AboutRecord):
    """Somebody decided a record, or changed their decision.

    `carried_from`: it came with that record, on a merge or a split; nobody decided again.
    """

    type = "tandem.decision.recorded"
    reviewer_id: str
    labels_seq: int
    carried_from: str | None = None


class DecisionWithdrawn(_AboutRecord):
    """A decision was taken back. The ledger keeps both."""

    type = "tandem.decision.withdrawn"
    reviewer_id: str
    labels_seq: int
    carried_from: str | None = None


class RecordIncluded(_AboutRecord):
    """The decisions on a record, or a resolution, keep it in."""

    type = "tandem.record.included"
    open_to_blinded = False


class RecordExcluded(_AboutRecord):
    """The decisions on a record, or a resolution, leave it out."""

    type = "tandem.record.excluded"
    open_to_blinded = False


class RecordReopened(_AboutRecord):
    """A record that was included or excluded is so no longer."""

    type = "tandem.record.reopened"
    open_to_blinded = False


class _AboutConflict(Fact):
    open_to_blinded = False
    conflict_id: str
    record_id: str
    stage: str

    @property
    def subject(self) -> str:
        return self.conflict_id


class ConflictOpened(_AboutConflict):
    """The decisions on a record differ."""

    type = "tandem.conflict.opened"
    kind: str


class ConflictResolved(_AboutConflict):
    """A difference is over.

    `by`: `resolution` (somebody settled it), or what ended it: `agreement` or `withdrawal` of a
    voter, another `policy`, or `duplicate`: its record was linked to another one.
    """

    type = "tandem.conflict.resolved"
    by: str


class ConflictReopened(_AboutConflict):
    """A difference that was over is there again."""

    type = "tandem.conflict.reopened"
    kind: str


class ResolutionChanged(_AboutRecord):
    """The resolution of a record changed or ended, without an event of a conflict.

    This happens when records are linked or split and a resolution moves with their votes.
    """

    type = "tandem.resolution.changed"
    open_to_blinded = False


class ReportRetrievalChanged(Fact):
    """Somebody recorded the state of the retrieval of a full text, and its way."""

    type = "tandem.report.retrieval_changed"
    record_id: str
    state: str
    via: str | None = None

    @property
    def subject(self) -> str:
        return self.record_id


class _AboutText(Fact):
    record_id: str
    text_id: str

    @property
    def subject(self) -> str:
        return self.record_id


class ReportTextAdded(_AboutText):
    """A file came to a report: its full text, or what belongs to it."""

    type = "tandem.report.text_added"
    kind: str


class ReportTextRead(_AboutText):
    """A file of a report was read. `state`: as in GET /texts/{text_id}."""

    type = "tandem.report.text_read"
    state: str


class ReportTextRemoved(_AboutText):
    """A file was taken from a report."""

    type = "tandem.report.text_removed"


class SynthesisImported(Fact):
    """An owner sent a coded project, and its passages count.

    Those of a project that it takes the place of do no longer.
    """

    type = "tandem.synthesis.imported"
    import_id: str

    @property
    def subject(self) -> str:
        return self.import_id


class SynthesisChanged(Fact):
    """Something about the synthesis is another one now.

    `changed`: `codes` (an owner marked one), `code_book` (an owner gave one), or `imports` (a
    coded project was taken back).
    """

    type = "tandem.synthesis.changed"
    changed: list[str]


class _AboutAudit(Fact):
    audit_id: str
    state: str

    @property
    def subject(self) -> str:
        return self.audit_id


class AuditStarted(_AboutAudit):
    """A target recall was registered for a stage. Its draws count from now on."""

    type = "tandem.audit.started"


class AuditFinished(_AboutAudit):
    """An audit has its certificate (`certified`), or an owner gave it up (`abandoned`)."""

    type = "tandem.audit.finished"


class StoppingChanged(Fact):
    """Something about stopping changed: read the present state, which is not in the event."""

    type = "tandem.stopping.changed"
    open_to_blinded = False
    stage: str


class RankingUpdated(Fact):
    """A new order is served. It counts every change up to `labels_seq`."""

    type = "tandem.ranking.updated"
    ranking_id: str
    stage: str
    labels_seq: int

    @property
    def subject(self) -> str:
        return self.ranking_id
