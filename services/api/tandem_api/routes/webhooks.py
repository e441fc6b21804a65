"""Webhooks: a review's events, sent to its owners' own services."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Body, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.events import positions
from tandem.ids import DeliveryId, ReviewId, UserId, WebhookId, parse_uuid
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.service import Viewer
from tandem.webhooks import addresses, deliveries, endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.models import Webhook
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.runtime import Runtime
from tandem_api.schemas.webhooks import (
    DeliveryOut,
    NewSecretOut,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/webhooks", tags=["webhooks"])

_Work = Callable[[Session, LockedReview, Viewer, Webhook], BaseModel | None]


@router.post("", status_code=201, response_model=NewSecretOut)
def add_webhook(body: WebhookIn, me: Me, review_id: InReview, here: Here, write: Write) -> Response:
    """Have a review's events sent to a URL (owners). The secret is in this answer only."""
    rules = _rules(here)
    _require_owner(here, review_id, me.id)
    # Before the transaction: the name server is asked.
    addresses.refuse_if_visible(body.url, rules)

    def work(session: Session) -> NewSecretOut:
        review, viewer = _enter(session, review_id, me.id)
        webhook = endpoints.add(
            session,
            review,
            owner_id=viewer.user_id,
            url=body.url,
            types=body.types,
            description=body.description,
            after=body.after,
            rules=rules,
        )
        return NewSecretOut.with_secret(webhook, _done(session, webhook), _names(session, webhook))

    return _notified(here, review_id, write(work, status=201, replayable=False))


@router.get("", responses=errors(403))
def list_webhooks(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[WebhookOut]:
    """List the webhooks, with how far each of them is (owners)."""
    _require(viewer)
    found = endpoints.webhooks_of(session, viewer.review_id, cursor=page, limit=limit)
    names = _names(session, *found.items)
    return Page.of(found.map(lambda one: WebhookOut.of(one, _done(session, one), names)))


@router.get("/{webhook_id}", responses=errors(403))
def get_webhook(webhook_id: str, session: Read, viewer: AsViewer) -> WebhookOut:
    """Show a webhook: whether it is on, and why not (owners)."""
    webhook = _find(session, viewer, webhook_id)
    return WebhookOut.of(webhook, _done(session, webhook), _names(session, webhook))


@router.patch("/{webhook_id}", response_model=WebhookOut)
def change_webhook(
    webhook_id: str,
    body: Annotated[WebhookPatch, Body(default_factory=WebhookPatch)],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
) -> Response:
    """Change a webhook, or switch it off or on (owners). It is tried again at once."""
    rules, changes = _rules(here), body.changes()
    _require_owner(here, review_id, me.id)
    if "url" in changes:
        addresses.refuse_if_visible(changes["url"], rules)

    def work(session: Session, review: Review, viewer: Viewer, webhook: Webhook) -> WebhookOut:
        endpoints.change(session, review, webhook, changes, by=viewer.user_id, rules=rules)
        return WebhookOut.of(webhook, _done(session, webhook), _names(session, webhook))

    return _notified(here, review_id, write(_changing(review_id, me.id, webhook_id, work)))


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(
    webhook_id: str, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Remove a webhook and the log of its deliveries (owners)."""

    def work(session: Session, review: Review, viewer: Viewer, webhook: Webhook) -> None:
        endpoints.remove(session, review, webhook, by=viewer.user_id)

    done = write(_changing(review_id, me.id, webhook_id, work), status=204)
    return _notified(here, review_id, done)


@router.post("/{webhook_id}/secret", response_model=NewSecretOut)
def rotate_secret(
    webhook_id: str, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Make a new secret (owners). For 24 hours messages carry a signature by the old one too."""

    def work(session: Session, review: Review, viewer: Viewer, webhook: Webhook) -> NewSecretOut:
        endpoints.rotate(session, review, webhook, by=viewer.user_id)
        return NewSecretOut.with_secret(webhook, _done(session, webhook), _names(session, webhook))

    done = write(_changing(review_id, me.id, webhook_id, work), replayable=False)
    return _notified(here, review_id, done)


@router.post("/{webhook_id}/test", status_code=202, response_model=DeliveryOut)
def test_webhook(
    webhook_id: str, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Send a message of type `tandem.webhook.test`, which is no event and in no log (owners)."""

    def work(session: Session, _: Review, __: Viewer, webhook: Webhook) -> DeliveryOut:
        return DeliveryOut.of(deliveries.ask_for_test(session, webhook))

    done = write(_changing(review_id, me.id, webhook_id, work), status=202)
    return _notified(here, review_id, done)


@router.get("/{webhook_id}/deliveries", responses=errors(403))
def list_deliveries(
    webhook_id: str, session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[DeliveryOut]:
    """List what was sent and what came back, the newest first (owners). The last 1,000 are kept."""
    webhook = _find(session, viewer, webhook_id)
    return Page.of(deliveries.page(session, webhook, cursor=page, limit=limit).map(DeliveryOut.of))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=DeliveryOut,
)
def redeliver(
    webhook_id: str, delivery_id: str, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Send something once more (owners): at once, and outside of the order unless it is next."""
    wanted = DeliveryId(parse_uuid(delivery_id, kind="delivery"))

    def work(session: Session, _: Review, __: Viewer, webhook: Webhook) -> DeliveryOut:
        sent = deliveries.get(session, webhook, wanted)
        return DeliveryOut.of(deliveries.redeliver(session, webhook, sent))

    done = write(_changing(review_id, me.id, webhook_id, work), status=202)
    return _notified(here, review_id, done)


def _changing(
    review_id: ReviewId, user_id: UserId, webhook_id: str, work: _Work
) -> Callable[[Session], BaseModel | None]:
    wanted = _id(webhook_id)

    def change(session: Session) -> BaseModel | None:
        review, viewer = _enter(session, review_id, user_id)
        webhook = endpoints.lock(session, review_id=review_id, webhook_id=wanted)
        return work(session, review, viewer, webhook)

    return change


def _enter(session: Session, review_id: ReviewId, user_id: UserId) -> tuple[LockedReview, Viewer]:
    review, viewer = reviews.enter(session, review_id=review_id, user_id=user_id)
    _require(viewer)
    return review, viewer


def _require_owner(here: Runtime, review_id: ReviewId, user_id: UserId) -> None:
    """Refuse others before anything is asked of the name server on their behalf."""
    with here.database.read() as session:
        _require(reviews.viewer(session, review_id=review_id, user_id=user_id))


def _require(viewer: Viewer) -> None:
    # To read them too: URLs may hold passwords, and what fails when tells of conflicts.
    viewer.require(Role.OWNER, "handle its webhooks")


def _find(session: Session, viewer: Viewer, webhook_id: str) -> Webhook:
    _require(viewer)
    return endpoints.get(session, review_id=viewer.review_id, webhook_id=_id(webhook_id))


def _id(text: str) -> WebhookId:
    return WebhookId(parse_uuid(text, kind="webhook"))


def _done(session: Session, webhook: Webhook) -> int:
    return positions.get(session, webhook.consumer, webhook.review_id)


def _names(session: Session, *webhooks: Webhook) -> dict[UserId, str]:
    return accounts.names_of(session, (webhook.owner_id for webhook in webhooks))


def _rules(here: Runtime) -> Rules:
    return Rules(
        allow_private=here.settings.webhooks_allow_private,
        allow_http=here.settings.webhooks_allow_http,
    )


def _notified(here: Runtime, review_id: ReviewId, answer: Response) -> Response:
    """Ring the notifier after the commit; no ranking depends on any of this."""
    here.task_signals.has_new_events(review_id)
    return answer
