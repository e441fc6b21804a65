"""The database of `tandem up`, before anything serves: its schema, and what an earlier run held."""

from tandem.config import Settings
from tandem.db.session import Database
from tandem.log import logger
from tandem.migrate import upgrade
from tandem.operations import leftovers

_log = logger(__name__)


def prepare(settings: Settings) -> None:
    """Bring the schema up to date; in an embedded installation, free what killed workers held.

    The caller holds the lock of the data folder: no worker of an earlier run lives then.
    """
    url = settings.resolved_database_url()
    upgrade(url)
    if settings.database_url is not None:
        return  # workers elsewhere may share it
    database = Database(url)
    try:
        with database.write.begin() as session:
            n_held = leftovers.release(session)
    finally:
        database.close()
    if n_held:
        _log.info("an earlier run was cut off; its work goes on", pieces=n_held)
