"""Program: the command `tandem` with its arguments, where migrations take no time.

The processes are stand-ins: packages `tandem_api` and `tandem_worker` on PYTHONPATH, and of
STAND_IN_DEMO, a program text, what loads the demo.
"""

import os
import sys

from tandem.cli.main import run
from tandem.config import Settings
from tandem.installation import supervisor, up
from tandem.installation.children import Child

PREPARE = """
import os, sys
if "STAND_IN_MIGRATION_FAILS" in os.environ:
    sys.exit("tandem: The database is newer than this program.")
sys.stderr.write(f"migrated {sys.argv[1]}\\n")
"""


def stand_in(name: str, text: str, *arguments: str) -> Child:
    argv = [sys.executable, "-c", text, *arguments]
    return Child(name=name, argv=argv, env=dict(os.environ), once=True, speaks=True)


def prepare(settings: Settings) -> Child:
    return stand_in("prepare", PREPARE, settings.resolved_database_url())


def load_demo(_: Settings) -> Child:
    return stand_in("demo", os.environ["STAND_IN_DEMO"])


def first_account(_: Settings) -> Child:
    return stand_in("first-account", "print('the first account')")


supervisor._FIRST_NOTICE = float(os.environ.get("STAND_IN_FIRST_NOTICE", "15"))
setattr(up, "preparation", prepare)  # noqa: B010  # no type allows it
setattr(up, "demo_loader", load_demo)  # noqa: B010
setattr(up, "first_account", first_account)  # noqa: B010

if __name__ == "__main__":
    run()
