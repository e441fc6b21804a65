import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.installation.stand_ins import HERE, Run
from tandem.config import settings

TESTS = HERE.parents[1]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever installation the tests are run beside, they do not meet it.

    Commands that are run in this process leave their settings behind: no later test meets those.
    """
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    yield
    settings.cache_clear()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start a supervisor of stand-ins: `supervise("broker:last", "worker:parent")`."""
    runs: list[Run] = []

    def start(*children: str, **variables: str) -> Run:
        run = Run(tmp_path, "run_supervisor.py", str(tmp_path), *children, **variables)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.clean_up()
