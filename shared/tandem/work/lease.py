"""A lease that does not run out while its holder works, however long that commits nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import ColumnElement, update
from sqlalchemy.exc import OperationalError

from tandem.db.base import now
from tandem.db.session import Database
from tandem.db.tries import Tried
from tandem.log import logger

_log = logger(__name__)


@contextmanager
def renewed(
    database: Database, kind: type[Tried], *mine: ColumnElement[bool], lasting: timedelta
) -> Iterator[None]:
    """Keep a claim from running out while the block works.

    `mine`: what is true of the row of that kind for as long as the claim is held, its fence above
    all. Who is killed renews nothing more, so `lasting` may be short.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lasting.total_seconds() / 3):
            try:
                with database.write.begin() as session:
                    session.execute(
                        update(kind)
                        .where(*mine)
                        .values(lease_until=now() + lasting)
                        .execution_options(synchronize_session=False)
                    )
            except OperationalError as error:
                # If it lasts, the lease runs out and the fence decides; nothing else to do.
                _log.warning("could not renew a lease", of=kind.__name__, error=str(error))

    thread = threading.Thread(target=renew, name="renew-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
