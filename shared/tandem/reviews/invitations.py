"""Invitations: a link that lets one person into a review, once.

The link carries 256 random bits, of which only the SHA-256 is stored, so it can be neither guessed
nor read again. A link that does not work tells nobody why: to guessers all such links are equal.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.accounts.passwords import Hashed
from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.errors import Forbidden, Invalid, NotFound
from tandem.ids import InvitationId, new_id
from tandem.reviews import members
from tandem.reviews import service as reviews
from tandem.reviews.models import Invitation, LockedReview, Member, Review, Role
from tandem.reviews.service import Viewer


class NoInvitation(NotFound):
    """The link is not, or no longer, good for anything."""

    code = "no_invitation"

    def __init__(self) -> None:
        super().__init__(
            "This invitation does not exist, has expired, was used or was withdrawn. "
            "Ask an owner of the review for a new link."
        )


class NotYourInvitation(Forbidden):
    """It is for the account with another e-mail address."""

    code = "not_your_invitation"


class InvitationState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Shown:
    """An invitation as it is shown to a person with its link.

    `needs_account`: whether nobody has an account with its e-mail address; None where it is for
    any address. `has`: the role of the person who looks, where the invitation gives them no more.
    """

    invitation: Invitation
    review: Review
    invited_by: User
    needs_account: bool | None
    has: Role | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who makes an account to accept. `email` may be left out where the invitation has one."""

    name: str
    password: str
    email: str | None = None


def state(invitation: Invitation) -> InvitationState:
    if invitation.accepted_at is not None:
        return InvitationState.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationState.REVOKED
    return InvitationState.OPEN if invitation.expires_at > now() else InvitationState.EXPIRED


def invite(
    session: Session,
    *,
    review: Review,
    viewer: Viewer,
    role: Role,
    email: str | None,
    lasting: timedelta,
) -> tuple[Invitation, str]:
    """Return an invitation and its secret, which nobody can read again. The review is locked.

    Raises:
        Forbidden: Only an owner may.
    """
    viewer.require(Role.OWNER, "invite people")
    secret, created = secrets.token_urlsafe(32), now()
    invitation = Invitation(
        id=InvitationId(new_id()),
        review_id=review.id,
        role=role,
        email=None if email is None else accounts.canonical(email),
        secret_sha256=_hash(secret),
        created_by=viewer.user_id,
        created_at=created,
        expires_at=created + lasting,
    )
    session.add(invitation)
    session.flush()
    return invitation, secret


def listed(session: Session, viewer: Viewer, *, cursor: Cursor, limit: int) -> Slice[Invitation]:
    """Return the review's invitations, the newest first.

    Raises:
        Forbidden: Only an owner may.
    """
    viewer.require(Role.OWNER, "see its invitations")
    query = select(Invitation).where(Invitation.review_id == viewer.review_id)
    order = (Invitation.created_at.desc(), Invitation.id)
    return keyset_of_one(session, query, order, cursor, limit)


def revoke(session: Session, *, viewer: Viewer, invitation_id: InvitationId) -> None:
    """Make a link useless. One that was used or revoked before stays what it is.

    Raises:
        Forbidden: Only an owner may.
        NotFound: The review has no such invitation.
    """
    viewer.require(Role.OWNER, "withdraw invitations")
    invitation = session.get(Invitation, invitation_id)
    if invitation is None or invitation.review_id != viewer.review_id:
        raise NotFound(f"There is no invitation {invitation_id}.")
    if invitation.accepted_at is None and invitation.revoked_at is None:
        invitation.revoked_at = now()


def show(session: Session, secret: str, *, user: User | None = None) -> Shown:
    """Return what somebody with the link may know before they accept; `user` is who is signed in.

    Raises:
        NoInvitation: The link is unknown, or not good any more.
    """
    invitation = _open(session, secret)
    known = invitation.email and accounts.find_user(session, email=invitation.email)
    member = user and session.get(Member, (invitation.review_id, user.id))
    has = member.role if member and member.role.reaches(invitation.role) else None
    return Shown(
        invitation,
        session.get_one(Review, invitation.review_id),
        accounts.get_user(session, invitation.created_by),
        needs_account=None if invitation.email is None else not known,
        has=has,
    )


def accept(session: Session, secret: str, *, user: User) -> Member:
    """Make somebody a member, in the role they were invited for or the higher one they have.

    Raises:
        NoInvitation: The link is unknown, or not good any more.
        NotYourInvitation: It is for another address.
    """
    invitation, review = _locked(session, secret)
    if invitation.email not in (None, user.email):
        raise NotYourInvitation(
            "This invitation is for another e-mail address than your account's. Sign in with "
            "the account that has it, or ask an owner of the review for a link of your own."
        )
    present = session.get(Member, (review.id, user.id))
    if present is None or not present.role.reaches(invitation.role):
        present, _ = members.set_member(
            session, review, user_id=user.id, role=invitation.role, by=invitation.created_by
        )
    invitation.accepted_by, invitation.accepted_at = user.id, now()
    session.flush()
    return present


def accept_as_new(
    session: Session, secret: str, *, person: NewPerson, hashed: Hashed | None = None
) -> Member:
    """Make an account for somebody and let them in.

    `hashed` is their password, where it was hashed before the transaction began.

    Raises:
        NoInvitation: The link is unknown, or not good any more.
        NotYourInvitation: It is for another address.
        EmailTaken: There is an account with this address: its person signs in first.
        Invalid: No address is given where the invitation has none.
    """
    invitation, _ = _locked(session, secret)
    email = person.email or invitation.email
    if email is None:
        raise Invalid("Give the e-mail address of your new account.", field="email")
    if invitation.email not in (None, accounts.canonical(email)):
        raise NotYourInvitation("This invitation is for another e-mail address.")
    if accounts.find_user(session, email=email) is not None:
        raise accounts.EmailTaken(
            "There is already an account with this e-mail address. Sign in, then accept."
        )
    user = accounts.add_user(
        session, email=email, name=person.name, password=hashed or person.password, is_admin=False
    )
    session.flush()
    return accept(session, secret, user=user)


def _locked(session: Session, secret: str) -> tuple[Invitation, LockedReview]:
    """Return an open invitation, with its review locked: of two who accept at once, one may."""
    found = _open(session, secret)
    review = reviews.lock(session, found.review_id)
    session.refresh(found)
    if state(found) is not InvitationState.OPEN:
        raise NoInvitation
    return found, review


def _open(session: Session, secret: str) -> Invitation:
    # Of an account that is switched off no link lets anybody in, least of all that person.
    query = (
        select(Invitation)
        .join(User, User.id == Invitation.created_by)
        .where(Invitation.secret_sha256 == _hash(secret), User.is_active)
    )
    invitation = session.scalars(query).one_or_none()
    if invitation is None or state(invitation) is not InvitationState.OPEN:
        raise NoInvitation
    return invitation


def _hash(secret: str) -> str:
    # A plain hash is enough: the secrets are 256 random bits, nobody can guess through them.
    return hashlib.sha256(secret.encode()).hexdigest()
