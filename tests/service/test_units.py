"""The units in deploy/systemd run commands and set variables that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from tandem.cli.main import app
from tandem.config import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))


def test_they_run_commands_that_exist() -> None:
    run = {
        command
        for unit in SERVICES
        for command in re.findall(r"/opt/tandem/bin/tandem (\w+)", unit.read_text("utf-8"))
    }

    assert run == {"api", "worker", "relay", "backup"}
    assert run <= get_command(app).commands.keys()  # type: ignore[attr-defined]  # a group


def test_they_set_variables_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (FOLDER / "tandem.env").read_text("utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    assert values.keys() <= {f"TANDEM_{name}".upper() for name in Settings.model_fields}
    assert Settings().public_url == values["TANDEM_PUBLIC_URL"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_them(tmp_path: Path) -> None:
    for unit in [*SERVICES, FOLDER / "tandem-backup.timer"]:
        text = unit.read_text("utf-8").replace("/opt/tandem/bin/tandem", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if "tandem" in line]
    assert ours == []
