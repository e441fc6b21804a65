"""Program: the command `tandem` with its arguments, where migrations take no time.

The processes are stand-ins: packages `tandem_api` and `tandem_worker` on PYTHONPATH.
"""

import os
import sys
from types import ModuleType

from tandem.cli.main import run
from tandem.errors import TandemError


def upgrade(url: str) -> None:
    if "STAND_IN_MIGRATION_FAILS" in os.environ:
        raise TandemError("The database is newer than this program.")
    sys.stderr.write(f"migrated {url}\n")


migrate = ModuleType("tandem.migrate")
vars(migrate)["upgrade"] = upgrade
sys.modules["tandem.migrate"] = migrate

if __name__ == "__main__":
    run()
