from pathlib import Path

import pytest

from unit.ranking.screened_files import write


@pytest.fixture
def screened(tmp_path: Path) -> Path:
    return write(tmp_path / "screened.csv")
