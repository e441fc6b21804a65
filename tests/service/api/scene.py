"""A review in which every route has something to show, and the ids to ask for it."""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from tandem.accounts import service as accounts
from tandem.accounts.models import SignIn, Token
from tandem.ids import RecordNumber, new_id
from tandem.records.models import Import
from tandem.reviews import invitations
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening.models import Conflict
from tandem.stopping import audits
from tandem.studies import service as studies
from tandem.webhooks import deliveries, endpoints
from tandem.webhooks.addresses import Rules
from world import Person, Team, World

API = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Scene:
    """A team's review with a ranking, an import, open and settled conflicts.

    `admin` administers the installation and is a stranger here; `stranger` owns another review.
    `ids` fill the placeholders of paths; `user_id` is Eve, `token_id` and `session_id` are the
    owner's, `job_id` the ranking that is due.
    """

    team: Team
    admin: Person
    stranger: Person
    ids: dict[str, str]

    @property
    def review(self) -> str:
        return f"{API}/reviews/{self.team.review_id}"

    def path(self, template: str, **others: str) -> str:
        """Fill the placeholders of a path; `others` replace ids of the scene."""
        ids = self.ids | others
        return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], template)


def build(world: World) -> Scene:
    """Ann and Ben differ on record 1, agree on 2; a conflict on 3 is settled; 4, 5, 6 are new.

    5 and 6 may be one record.
    """
    team = world.team(n_records=6)
    admin, stranger = world.person("admin", is_admin=True), world.person("stranger")
    world.review(stranger, title="Another review")
    review_id = team.review_id
    for number, ben in ((1, "exclude"), (2, "include"), (3, "exclude")):
        world.decide(review_id, team.ann, number, "include")
        world.decide(review_id, team.ben, number, ben)
    world.resolve(review_id, team.judge, 3, "include")
    ranking = world.rank(review_id, 6, 5, 4, 3, 2, 1)
    with world.database.read() as session:
        conflict = session.scalars(
            select(Conflict.id).where(Conflict.review_id == review_id, Conflict.record_number == 1)
        ).one()
        made = session.scalars(select(Import.id).where(Import.review_id == review_id)).one()
        token = session.scalars(select(Token.id).where(Token.user_id == team.owner.id)).one()
    with world.database.write.begin() as session:
        accounts.sign_in(session, user_id=team.owner.id, lasting=timedelta(days=1))
        signed_in = session.scalars(select(SignIn.id).where(SignIn.user_id == team.owner.id)).one()
    with world.entered(review_id, team.owner) as (session, review, viewer):
        invitation, secret = invitations.invite(
            session,
            review=review,
            viewer=viewer,
            role=Role.REVIEWER,
            email=None,
            lasting=timedelta(days=1),
        )
        webhook = endpoints.add(
            session, review, owner_id=team.owner.id, url="https://9.9.9.9/hook", rules=Rules()
        )
        delivery = deliveries.ask_for_test(session, webhook)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        audit = audits.register(
            session,
            review,
            viewer,
            stage=Stage.TITLE_ABSTRACT,
            target=0.9,
            confidence=0.9,
            note=None,
        )
    text, batch = world.unread_text(review_id, team.owner, 2)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        study = studies.create(session, review, viewer, numbers=[RecordNumber(2)])
    ids = {
        "study_id": str(study.id),
        "synthesis_import_id": str(new_id()),
        "code_id": str(new_id()),
        "review_id": str(review_id),
        "text_id": str(text.id),
        "batch_id": str(batch.id),
        "position": "1",
        "page": "1",
        "webhook_id": str(webhook.id),
        "delivery_id": str(delivery.id),
        "invitation_id": str(invitation.id),
        "token": secret,
        "record_id": "4",
        "report_id": "2",
        "conflict_id": str(conflict),
        "duplicate_id": str(world.propose(review_id, 5, 6)),
        "import_id": str(made),
        "ranking_id": str(ranking.id),
        "user_id": str(team.eve.id),
        "token_id": str(token),
        "audit_id": str(audit.id),
        "session_id": str(signed_in),
        "job_id": f"ranking-{review_id}",
        "key": "records_screened",
    }
    return Scene(team, admin, stranger, ids)


def promote(world: World, scene: Scene, person: Person) -> None:
    """Make somebody an owner of the scene's review."""
    with world.database.write.begin() as session:
        review = reviews.lock(session, scene.team.review_id)
        reviews.set_member(session, review, user_id=person.id, role=Role.OWNER)
