"""The pilot round, and whose own papers are among the records."""

from datetime import datetime

from pydantic import Field, StrictBool

from tandem.screening.people import pilot
from tandem.screening.people.interests import Known
from tandem_api.schemas.base import In, Out, PersonId, PersonName, RecordId, Whole


class PilotIn(In):
    size: Whole = Field(
        ge=1, le=pilot.LARGEST, description="So many records are read by everybody.", examples=[50]
    )


class DoneByOut(Out):
    user_id: PersonId
    name: PersonName
    n: int = Field(description="Records of the round that they have decided.", examples=[50])


class PilotOut(Out):
    """The newest pilot round."""

    state: pilot.PilotState = Field(examples=["running"])
    size: int = Field(description="As many were asked for; 0 without a round.", examples=[50])
    n_records: int = Field(description="As many there are.", examples=[50])
    records_done_by: list[DoneByOut] = Field(
        description="Everybody's, for those to whom others' verdicts are open; else yours."
    )
    agreement_link: str | None = Field(
        description="The agreement on these records.",
        examples=["/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/agreement?on=pilot"],
    )


class InterestIn(In):
    has_interest: StrictBool = Field(
        description="True: do not serve me this record. False: it is not mine, the names match "
        "by chance."
    )


class InterestOut(Out):
    """Somebody's interest in a record.

    `author` is the name among its authors that is like theirs, `declared` their answer
    themselves, which counts for more. `withheld`: it is not served to them.
    """

    user_id: PersonId
    name: PersonName
    record_id: RecordId
    title: str = Field(examples=["What peer workers say about their work"])
    author: str | None = Field(examples=["Lee, A."])
    declared: bool | None
    withheld: bool = Field(examples=[True])
    at: datetime

    @classmethod
    def of(cls, known: Known) -> "InterestOut":
        interest = known.interest
        return cls(
            user_id=str(interest.user_id),
            name=known.user.name,
            record_id=str(interest.record_number),
            title=known.title,
            author=interest.author,
            declared=interest.declared,
            withheld=known.is_withheld,
            at=interest.at,
        )
