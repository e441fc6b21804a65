"""The catalogue of events: reviews, members, imports, records, studies and duplicates.

`screening_types` has the rest: decisions, conflicts, full texts, synthesis, stopping, ranking.
"""

from tandem.events.fact import Fact


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
