"""The catalogue, continued: decisions, conflicts, full texts, synthesis, stopping and ranking."""

from tandem.events.fact import Fact


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
