"""What becomes of connections when a process ends while its threads still work."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tandem.db.session import Database

pytestmark = pytest.mark.both_engines


@pytest.fixture
def own(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def test_a_connection_that_is_given_back_later_is_closed_then(own: Database) -> None:
    with own.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        own.close()
        assert connection.scalar(text("SELECT 1")) == 1

    assert driver is not None
    with pytest.raises(Exception, match="closed"):
        driver.cursor().execute("SELECT 1")
