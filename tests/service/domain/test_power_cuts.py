"""What was answered survives a power cut."""

import subprocess
import sys
from pathlib import Path

FULL = "2"
ASKED = """
import sys
from sqlalchemy import text
from tandem.db.session import Database
database = Database(sys.argv[1])
with database.write.begin() as session:
    print(session.scalar(text("PRAGMA synchronous")))
database.close()
"""


def test_on_sqlite_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    # In a process of its own: in this one the tests' databases forget power cuts.
    url = f"sqlite:///{tmp_path}/tandem.sqlite3"
    asked = subprocess.run(
        [sys.executable, "-c", ASKED, url], capture_output=True, text=True, check=True
    )

    assert asked.stdout.strip() == FULL
