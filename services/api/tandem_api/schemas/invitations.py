"""Invitations by link."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from tandem.ids import UserId
from tandem.reviews import invitations
from tandem.reviews.invitations import InvitationState, NewPerson, Shown
from tandem.reviews.models import Invitation, Member, Role
from tandem_api.schemas.accounts import NewEmail, Password
from tandem_api.schemas.base import Id, In, Line, Out, PersonId, PersonName, Whole

_DAYS = 14
_MOST_DAYS = 90


class InvitationIn(In):
    role: Role = Field(examples=["reviewer"])
    email: NewEmail | None = Field(
        default=None,
        description="Only the account with this address may accept. Null: anybody with the link.",
        examples=["ben@example.org"],
    )
    expires_days: Whole = Field(default=_DAYS, ge=1, le=_MOST_DAYS, examples=[14])


class InvitationOut(Out):
    """An invitation, without its secret."""

    id: Id
    role: Role = Field(examples=["reviewer"])
    email: str | None = Field(examples=["ben@example.org"])
    state: InvitationState
    created_at: datetime
    expires_at: datetime = Field(examples=["2026-12-07T09:30:00Z"])
    invited_by: PersonId = Field(description="The id of the owner who made it.")
    invited_by_name: PersonName
    accepted_by: str | None = Field(description="The id of who came in by it.")
    accepted_by_name: str | None

    @classmethod
    def of(cls, invitation: Invitation, names: Mapping[UserId, str]) -> "InvitationOut":
        accepted_by = invitation.accepted_by
        return cls(
            id=str(invitation.id),
            role=invitation.role,
            email=invitation.email,
            state=invitations.state(invitation),
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            invited_by=str(invitation.created_by),
            invited_by_name=names[invitation.created_by],
            accepted_by=None if accepted_by is None else str(accepted_by),
            accepted_by_name=None if accepted_by is None else names[accepted_by],
        )


class NewInvitationOut(InvitationOut):
    """An invitation with its link, which is shown this once."""

    link: str = Field(examples=["https://tandem.example.org/join/6oXl…"])
    token: str = Field(examples=["6oXl…"])


class ShownInvitationOut(Out):
    """What an invitation is to, for anybody who has its link."""

    review_title: str = Field(examples=["Peer support workers in health"])
    role: Role = Field(examples=["reviewer"])
    invited_by: PersonName
    email: str | None = Field(examples=["ben@example.org"])
    expires_at: datetime = Field(examples=["2026-12-07T09:30:00Z"])
    needs_account: bool | None = Field(
        description="True: nobody has an account with this address, so make one. False: sign in "
        "with it first. Null: the invitation is for any address; do either.",
        examples=[True],
    )
    to_accept: str = Field(
        description="What to do with it, in words.",
        examples=[
            "POST /api/v1/invitations/6oXlJ4yq…/acceptance with a `name` and a `password` makes "
            "your account and lets you in."
        ],
    )

    @classmethod
    def of(cls, shown: Shown, *, acceptance: str) -> "ShownInvitationOut":
        return cls(
            review_title=shown.review.title,
            role=shown.invitation.role,
            invited_by=shown.invited_by.name,
            email=shown.invitation.email,
            expires_at=shown.invitation.expires_at,
            needs_account=shown.needs_account,
            to_accept=_to_accept(acceptance, needs_account=shown.needs_account),
        )


def _to_accept(path: str, *, needs_account: bool | None) -> str:
    if needs_account:
        return f"POST {path} with a `name` and a `password` makes your account and lets you in."
    if needs_account is False:
        return f"Sign in with your account; then POST {path} lets you in."
    return (
        f"With an account: sign in, then POST {path} lets you in. Without: the same with a `name`, "
        "an `email` and a `password` makes one."
    )


class AcceptanceIn(In):
    """Your new account, if you are not signed in."""

    name: Line = Field(examples=["Ben Stone"])
    password: Password = Field(examples=["correct horse battery"])
    email: NewEmail | None = Field(
        default=None, description="Needed where the invitation names none."
    )

    def person(self) -> NewPerson:
        return NewPerson(self.name, self.password.get_secret_value(), self.email)


class AcceptanceOut(Out):
    """You are in: which review, who you are, and in which role."""

    review_id: Id
    user_id: PersonId
    user_name: PersonName
    role: Role = Field(examples=["reviewer"])

    @classmethod
    def of(cls, member: Member, name: str) -> "AcceptanceOut":
        return cls(
            review_id=str(member.review_id),
            user_id=str(member.user_id),
            user_name=name,
            role=member.role,
        )
