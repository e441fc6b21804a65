"""What a change of a review would do: records that move, and what is hidden from the viewer."""

from pydantic import (
    ConfigDict,
    Field,
)

from tandem.reviews.policy import Stage
from tandem.screening.policies import Effect, Moved
from tandem.screening.rules import Status
from tandem_api.schemas.base import Out, RecordId
from tandem_api.schemas.reviews import WholeReviewOut

_MOST_NAMED = 500
"""Records named in an effect: enough to look at, and a bounded answer."""


class MovedOut(Out):
    """A record that gets another status: `from` one `to` the other."""

    model_config = ConfigDict(serialize_by_alias=True)

    record_id: RecordId
    from_: Status = Field(alias="from", examples=["awaiting"])
    to: Status = Field(examples=["awaiting"])

    @classmethod
    def of(cls, moved: Moved) -> "MovedOut":
        number = str(moved.record_number)
        return cls.model_validate({"record_id": number, "from": moved.before, "to": moved.after})


def hidden_note(n_hidden: int) -> str:
    """Say why a preview leaves out what becomes of records."""
    return (
        f"The policy hides from you how people voted on {n_hidden} of the records, which are not "
        "settled yet; what becomes of these would tell it. Make the change to see what it does."
    )


class EffectOut(Out):
    """What a change of policy does, or with `dry_run` would do, to the decisions there are.

    The numbers count all; the lists name the first 500 records each. With `dry_run` all of it is
    null, and `note` says why, where it would tell of votes that the policy in force hides from
    you.
    """

    stage: Stage
    n_records_changed: int | None = Field(examples=[1])
    n_conflicts_opened: int | None = Field(examples=[0])
    n_conflicts_closed: int | None = Field(examples=[0])
    records_changed: list[MovedOut] | None
    conflicts_opened: list[str] | None = Field(
        description="The records that come into conflict.", examples=[[]]
    )
    conflicts_closed: list[str] | None = Field(
        description="The records whose conflict ends.", examples=[[]]
    )
    note: str | None = None

    @classmethod
    def of(cls, effect: Effect, *, dry_run: bool) -> "EffectOut":
        if dry_run and effect.n_hidden:
            return cls(
                stage=effect.stage,
                n_records_changed=None,
                n_conflicts_opened=None,
                n_conflicts_closed=None,
                records_changed=None,
                conflicts_opened=None,
                conflicts_closed=None,
                note=hidden_note(effect.n_hidden),
            )
        return cls(
            stage=effect.stage,
            n_records_changed=effect.n_records_changed,
            n_conflicts_opened=effect.n_conflicts_opened,
            n_conflicts_closed=effect.n_conflicts_closed,
            records_changed=[MovedOut.of(moved) for moved in effect.records_changed[:_MOST_NAMED]],
            conflicts_opened=[str(number) for number in effect.conflicts_opened[:_MOST_NAMED]],
            conflicts_closed=[str(number) for number in effect.conflicts_closed[:_MOST_NAMED]],
        )


class ChangedReviewOut(WholeReviewOut):
    dry_run: bool = Field(examples=[True])
    effects: list[EffectOut]
