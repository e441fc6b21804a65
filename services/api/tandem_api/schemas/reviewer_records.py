"""One reviewer's record: second looks, shares of includes, drift, agreement with the outcome."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from tandem.db.keyset import Slice
from tandem.ranking.second_looks import Looks
from tandem.reviews.policy import Stage
from tandem.screening.agreement.drift import Drift, Measured
from tandem.screening.agreement.reviewer import AgainstOutcome, ReviewerRecord, Share, Week
from tandem.screening.second_look import Doubtful
from tandem_api.schemas.base import Out, PersonId, PersonName
from tandem_api.schemas.records import RecordOut


class SecondLookOut(Out):
    """An excluded record. `likeness`: the share of all others that look less like an include."""

    record: RecordOut
    n_decisions: int = Field(examples=[2])
    likeness: float = Field(ge=0, le=1, examples=[0.982])


State = Literal["none", "asked", "ready"]


class SecondLooksOut(Out):
    """Excludes that look like includes: those read by one person first, the most alike first.

    `state`: `none` (nobody has asked yet), `asked` (being worked out; what is shown is older),
    `ready`. `is_stale`: the review has changed since. No scores although `ready`: there are too
    few decisions to learn from.
    """

    state: State = Field(examples=["ready"])
    model: str | None = Field(examples=["tandem-1"])
    labels_seq: int | None = Field(examples=[1342])
    is_stale: bool
    n_scored: int = Field(examples=[609])
    seconds: float | None = Field(examples=[1.4])
    made_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])
    items: list[SecondLookOut]
    next_cursor: str | None

    @classmethod
    def of(
        cls,
        looks: Looks,
        found: Slice[Doubtful],
        *,
        stage: Stage,
        labels_seq: int,
    ) -> "SecondLooksOut":
        row = looks.row
        made_of = None if row is None else row.labels_seq
        return cls(
            state=looks.state,
            model=None if row is None else row.model,
            labels_seq=made_of,
            is_stale=made_of is not None and labels_seq > made_of,
            n_scored=len(looks.numbers),
            seconds=None if row is None else row.seconds,
            made_at=None if row is None else row.made_at,
            items=[
                SecondLookOut(
                    record=RecordOut.shown(item.shown, stage),
                    n_decisions=item.n_decisions,
                    likeness=item.likeness,
                )
                for item in found.items
            ],
            next_cursor=found.next_cursor,
        )


class SecondLooksAskedOut(Out):
    """The answer will be at the same address, in seconds."""

    state: Literal["asked"] = "asked"


class ShareOut(Out):
    """`n` of so many, with an exact 95 % interval; null of none."""

    n: int = Field(examples=[4])
    of: int = Field(examples=[671])
    value: float | None = Field(examples=[0.004])
    low: float | None = Field(examples=[0.001])
    high: float | None = Field(examples=[0.013])

    @classmethod
    def from_share(cls, share: Share) -> "ShareOut":
        return cls(n=share.n, of=share.of, value=share.value, low=share.low, high=share.high)


class WeekOut(Out):
    """Records first decided in the week that begins on this Monday, in UTC."""

    monday: date = Field(examples=["2026-11-16"])
    n_read: int = Field(examples=[671])
    include_share: float | None = Field(examples=[0.079])
    median_seconds: float | None = Field(examples=[14.2])

    @classmethod
    def of(cls, week: Week) -> "WeekOut":
        return cls(
            monday=week.monday,
            n_read=week.n_read,
            include_share=week.n_include / week.n_read if week.n_read else None,
            median_seconds=week.median_seconds,
        )


class DriftOut(Out):
    """The share of includes of the last decisions less that of those before, with an interval.

    `what` says of which records; null where there are too few. The note says how to read it.
    """

    what: Measured = Field(examples=["include_share_change_all"])
    value: float | None = Field(examples=[-0.063])
    low: float | None = Field(examples=[-0.101])
    high: float | None = Field(examples=[-0.015])
    n_recent: int = Field(examples=[200])
    n_before: int = Field(examples=[471])
    note: str = Field(
        examples=[
            "All records, the likely ones first: the share of includes falls by design, "
            "and a fall is no sign of drift. A rise may be one."
        ]
    )

    @classmethod
    def of(cls, found: Drift) -> "DriftOut":
        return cls(
            what=found.what,
            value=found.value,
            low=found.low,
            high=found.high,
            n_recent=found.n_recent,
            n_before=found.n_before,
            note=found.note,
        )


class AgainstOutcomeOut(Out):
    """First decisions against what became of the records, of those that are settled.

    `missed_of_excludes`: of their excludes, finally included. `missed_of_included`: of the
    finally included that they read, excluded by them. `overruled_includes`: of their includes,
    finally excluded. `informed`: of all first decisions, made knowing another's verdict. The
    outcome rests on their own vote, too, so misses that nobody else noticed are not among them.
    """

    missed_of_excludes: ShareOut
    missed_of_included: ShareOut
    overruled_includes: ShareOut
    informed: ShareOut

    @classmethod
    def of(cls, found: AgainstOutcome) -> "AgainstOutcomeOut":
        return cls(
            missed_of_excludes=ShareOut.from_share(found.missed_of_excludes),
            missed_of_included=ShareOut.from_share(found.missed_of_included),
            overruled_includes=ShareOut.from_share(found.overruled_includes),
            informed=ShareOut.from_share(found.informed),
        )


class ReviewerRecordOut(Out):
    """What one reviewer has done, how fast and how steadily.

    Only what they entered themselves counts. `changed`: of the records that they decided, how
    many first verdicts they changed or took back later. `against_outcome` is null for a blinded
    reviewer, since it depends on others. `n_hidden`: of another one's record, so many that are not
    settled yet are left out everywhere, where the policy hides their votes from you.
    """

    user_id: PersonId
    name: PersonName
    stage: Stage
    n_read: int = Field(examples=[671])
    n_decisions: int = Field(examples=[677])
    n_hidden: int = Field(examples=[0])
    median_seconds: float | None = Field(examples=[14.2])
    includes: ShareOut
    changed: ShareOut
    by_week: list[WeekOut]
    drift: DriftOut
    against_outcome: AgainstOutcomeOut | None

    @classmethod
    def of(cls, found: ReviewerRecord) -> "ReviewerRecordOut":
        against = found.against_outcome
        return cls(
            user_id=str(found.user_id),
            name=found.name,
            stage=found.stage,
            n_read=found.n_read,
            n_decisions=found.n_decisions,
            n_hidden=found.n_hidden,
            median_seconds=found.median_seconds,
            includes=ShareOut.from_share(found.includes),
            changed=ShareOut.from_share(found.changed),
            by_week=[WeekOut.of(week) for week in found.by_week],
            drift=DriftOut.of(found.drift),
            against_outcome=AgainstOutcomeOut.of(against) if against is not None else None,
        )
