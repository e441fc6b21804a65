"""What workers of an earlier run held when they were killed."""

from sqlalchemy import and_, case, or_, update
from sqlalchemy.orm import Session

from tandem.ranking.models import Encoding, SecondLook, Training
from tandem.records.models import Import
from tandem.texts.models import TextFile


def release(session: Session) -> int:
    """Free all background work, so that it goes on at once; return how much of it was held.

    Only for a caller who knows that no worker of this database lives. Otherwise the leases run
    out by themselves, after up to a minute. A try that was cut off does not count as a failed
    one, and the fence shuts out a worker that lives after all.
    """
    n_held = 0
    for kind in (Import, Training, Encoding, SecondLook, TextFile):
        is_held = or_(
            kind.lease_until.is_not(None),
            # Between two turns of one try.
            and_(kind.not_before.is_not(None), kind.cause.is_(None)),
        )
        tries = case((kind.attempts > 0, kind.attempts - 1), else_=0)
        free = {"lease_until": None, "not_before": None, "attempts": tries}
        held = session.execute(
            update(kind)
            .where(is_held)
            .values(fence=kind.fence + 1, **free)
            .returning(kind.fence)
            .execution_options(synchronize_session=False)
        )
        n_held += len(held.all())
    return n_held
