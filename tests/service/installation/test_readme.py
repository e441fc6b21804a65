"""The first hour as README.md tells it: its code blocks, exactly as they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.installation.stand_ins import free_port

README = Path(__file__).parents[3] / "README.md"
SECTIONS = ("A first review, over HTTP", "Two reviewers", "Records in and out")
READY_LINE = "Tandem is ready: "


def code_blocks(section: str) -> str:
    text = README.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", found, re.S | re.M))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a newcomer stands: an environment and no data yet."""
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setenv("TANDEM_PORT", str(free_port()))
    return tmp_path


@pytest.fixture
def running(checkout: Path) -> Iterator["subprocess.Popen[str]"]:
    """What `make run` starts, at the moment at which it says that it is ready."""
    command = [".venv/bin/tandem", "up", "--demo"]
    with (
        (checkout / "log").open("wb") as log,
        subprocess.Popen(
            command,
            cwd=checkout,
            env={**os.environ, "TANDEM_DATA_DIR": str(checkout / ".tandem")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.processes
@pytest.mark.timeout(900)
def test_its_commands_work_when_they_are_pasted_one_after_the_other(
    checkout: Path, running: "subprocess.Popen[str]"
) -> None:
    assert running.stdout is not None
    # The files of the demo are there when its accounts are printed.
    for line in running.stdout:
        if "password" in line:
            break
    commands = "\n".join(code_blocks(section) for section in SECTIONS)

    done = subprocess.run(
        ["bash"],
        # Each command's failure ends the shell, as does one in the middle of a pipe.
        input=f"set -eo pipefail\n{commands}\necho all is done\n",
        cwd=checkout,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.endswith("all is done\n")
    for file in ("included.ris", "ledger.csv"):
        assert (checkout / file).stat().st_size > 0
