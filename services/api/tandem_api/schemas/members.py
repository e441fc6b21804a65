"""The people of a review, and what each of them has to do."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat

from tandem.accounts.models import User
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Stage
from tandem.screening.people.workload import Workload
from tandem.screening.team import removal
from tandem.screening.team.membership import UNCHANGED, Unchanged
from tandem.screening.team.removal import Departure
from tandem_api.schemas.base import In, Out, PersonId, PersonName
from tandem_api.schemas.policy_effects import MovedOut, hidden_note

MOST_NAMED = 500
"""Records named in a preview: enough to look at, and a bounded answer."""

Share = Annotated[StrictFloat, Field(gt=0, le=1, allow_inf_nan=False)]
Paused = Annotated[
    StrictBool | None,
    Field(description="While they pause they are served nothing, and nothing is held for them."),
]


class MemberPatch(In):
    """What is left out stays as it is."""

    paused: Paused = Field(default=None, examples=[True])
    share: Share | None = Field(
        default=None,
        description="Of a stage's decisions (records times reviewers per record) at most this "
        "part is served to them. Null: no limit.",
        examples=[0.25],
    )

    def new_share(self) -> float | Unchanged | None:
        return self.share if "share" in self.model_fields_set else UNCHANGED

    def new_pause(self) -> bool | Unchanged:
        return UNCHANGED if self.paused is None else self.paused


class MemberIn(MemberPatch):
    role: Role = Field(examples=["reviewer"])


class WorkloadOut(Out):
    """What somebody has decided in the stage, of how much. Without a share: no target."""

    decided: int = Field(examples=[66])
    target: int | None = Field(examples=[590])
    left: int | None = Field(examples=[524])

    @classmethod
    def of(cls, workload: Workload) -> "WorkloadOut":
        return cls(decided=workload.decided, target=workload.target, left=workload.left)


class MemberOut(Out):
    user_id: PersonId
    name: PersonName
    email: str = Field(examples=["ann@example.org"])
    role: Role = Field(examples=["reviewer"])
    added_at: datetime
    paused: bool
    is_active: bool = Field(
        description="False: the account is switched off; nobody waits for them."
    )
    share: float | None = Field(examples=[0.25])
    workload: WorkloadOut | None = Field(
        description="In the title and abstract stage. Yours; others' for owners, adjudicators and "
        "where nobody is blinded."
    )

    @classmethod
    def of(cls, member: Member, user: User, workload: Workload | None) -> "MemberOut":
        return cls(
            user_id=str(member.user_id),
            name=user.name,
            email=user.email,
            role=member.role,
            added_at=member.added_at,
            paused=member.paused_at is not None,
            is_active=user.is_active,
            share=member.share,
            workload=None if workload is None else WorkloadOut.of(workload),
        )


class MovedRecordOut(MovedOut):
    stage: Stage

    @classmethod
    def in_stage(cls, moved: removal.Moved) -> "MovedRecordOut":
        fields = {"from": moved.before, "to": moved.after, "stage": moved.stage}
        return cls.model_validate({"record_id": str(moved.record_number), **fields})


class DepartureOut(Out):
    """What a removal would do. The numbers count all; `records` names the first 500.

    Null, and `note` says why, is what would tell of votes that the policy hides from you.
    """

    n_decisions_voided: int = Field(examples=[66])
    n_records_changed: int | None = Field(examples=[2])
    n_conflicts_opened: int | None = Field(examples=[0])
    n_conflicts_closed: int | None = Field(examples=[1])
    records: list[MovedRecordOut] | None
    n_open_conflicts_of_theirs: int = Field(
        description="Open conflicts in which a vote of theirs stays.", examples=[0]
    )
    n_nobody_may_settle: int = Field(
        description="Open conflicts of the review, theirs or not, that none of those who stay may "
        "settle: everybody who could has a vote in them, and the policy bars voters. Make another "
        "member adjudicator, "
        "let voters adjudicate by the policy, or void the decisions of who leaves.",
        examples=[0],
    )
    n_awaiting: int = Field(
        description="Records with a decision of theirs that lack another.", examples=[0]
    )
    note: str | None

    @classmethod
    def of(cls, departure: Departure) -> "DepartureOut":
        moved = [MovedRecordOut.in_stage(one) for one in departure.moved[:MOST_NAMED]]
        is_hidden = departure.n_hidden > 0
        return cls(
            n_decisions_voided=departure.n_decisions_voided,
            n_records_changed=None if is_hidden else len(departure.moved),
            n_conflicts_opened=None if is_hidden else departure.n_conflicts_opened,
            n_conflicts_closed=None if is_hidden else departure.n_conflicts_closed,
            records=None if is_hidden else moved,
            n_open_conflicts_of_theirs=departure.n_open_conflicts,
            n_nobody_may_settle=departure.n_nobody_may_settle,
            n_awaiting=departure.n_awaiting,
            note=hidden_note(departure.n_hidden) if is_hidden else None,
        )
