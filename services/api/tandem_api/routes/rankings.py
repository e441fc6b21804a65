"""Training runs."""

from collections.abc import Sequence

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.db.keyset import encode
from tandem.ids import RankingId, parse_uuid
from tandem.ranking import serving, training
from tandem.ranking.models import Ranking
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.service import Viewer
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.view import sees_all_votes
from tandem.work import lease
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.rankings import RankingAskedOut, RankingOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/rankings", tags=["rankings"])


@router.get("")
def list_rankings(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[RankingOut]:
    """List finished rankings, the newest first: the one that is served stands at the top."""
    id = page.id()
    before = None if id is None else RankingId(id)
    found = serving.list_rankings(
        session, review_id=viewer.review_id, before=before, limit=limit + 1
    )
    items = found[:limit]
    following = encode(items[-1].id) if len(found) > limit else None
    return Page(items=_shown(session, viewer, items), next_cursor=following)


@router.get("/{ranking_id}")
def get_ranking(ranking_id: str, session: Read, viewer: AsViewer) -> RankingOut:
    """Show a ranking: its model, what it learned from, how long it took."""
    found = RankingId(parse_uuid(ranking_id, kind="ranking"))
    item = serving.get_ranking(session, review_id=viewer.review_id, ranking_id=found)
    return _shown(session, viewer, [item])[0]


@router.post(
    "",
    status_code=202,
    response_model=RankingAskedOut,
)
def ask_for_ranking(me: Me, review_id: InReview, write: Write) -> Response:
    """Ask for a new ranking now, although nothing has changed."""

    def work(session: Session) -> RankingAskedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.REVIEWER, "ask for a ranking")
        serving.ask_for_training(review)
        if viewer.has(Role.OWNER) and training.parked(session, review_id):
            lease.try_again(session, training.RANKINGS, review_id)
        numbers = visible_numbers(session, viewer, [review.labels_seq])
        return RankingAskedOut(labels_seq=numbers[review.labels_seq])

    return write(work, status=202, changed=review_id)


def _shown(session: Session, viewer: Viewer, rankings: Sequence[Ranking]) -> list[RankingOut]:
    shown = visible_numbers(session, viewer, [one.labels_seq for one in rankings])
    return [
        RankingOut.of(
            ranking,
            labels_seq=shown[ranking.labels_seq],
            sees_all=sees_all_votes(viewer, ranking.stage),
        )
        for ranking in rankings
    ]
