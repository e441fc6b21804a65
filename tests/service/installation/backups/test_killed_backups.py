"""A backup or a restore that is killed leaves one whole state."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.installation.backups.sites import Site
from tandem.installation.backup.restoring import restore
from tandem.installation.backup.taking import back_up

KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from tandem.config import Settings
from tandem.installation.backup import restoring, taking

what, file, moment = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])

def on_progress(share):
    if share >= moment:
        os.kill(os.getpid(), signal.SIGKILL)

work = {"backup": taking.back_up, "restore": restoring.restore}[what]
work(Settings(), file, replace=True, on_progress=on_progress)
"""


@pytest.mark.processes
@pytest.mark.parametrize("moment", [0.59, 0.7])
def test_a_restore_that_is_killed_leaves_one_whole_state(
    here: Site, used: Site, file: Path, moment: float
) -> None:
    old, new = used.rows(), here.rows()

    assert run_killed(used, "restore", file, moment) == -signal.SIGKILL

    assert used.rows() == (new if moment > 0.6 else old)
    restore(used.settings, file, replace=True)
    assert used.rows() == new


@pytest.mark.processes
@pytest.mark.parametrize("moment", [0.9])
def test_a_backup_that_is_killed_leaves_the_one_before(
    here: Site, file: Path, moment: float
) -> None:
    before = file.read_bytes()

    assert run_killed(here, "backup", file, moment) == -signal.SIGKILL

    assert file.read_bytes() == before
    inode = file.stat().st_ino
    back_up(here.settings, file, replace=True)
    assert file.stat().st_ino != inode


def run_killed(site: Site, what: str, file: Path, moment: float) -> int:
    env = {**os.environ, "TANDEM_DATA_DIR": str(site.settings.data_dir)}
    if site.settings.database_url is not None:
        env["TANDEM_DATABASE_URL"] = site.settings.database_url
    program = [sys.executable, "-c", KILLED, what, str(file), str(moment)]
    return subprocess.run(program, env=env, timeout=120, check=False).returncode
