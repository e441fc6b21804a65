"""`tools/install.py`, which the Makefile runs before there is anything of Tandem's."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "tools/install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(folder: Path, pip_says: str, status: int) -> Path:
    """Make a folder whose Python says something as pip, and ends with that status."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ncat <<'END'\n{pip_says}\nEND\nexit {status}\n")
    python.chmod(0o755)
    return folder


def test_for_an_old_python_the_error_says_what_to_do(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"3\.11 or newer; .* is 3\.9\..*PYTHON=/path"):
        install.main([".venv"])


def test_it_says_what_it_costs_and_how_far_it_is(
    install: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = "\n".join(
        f"Collecting p{n}\n  Downloading p{n}-1-py3-none-any.whl (2.0 MB)" for n in range(25)
    )
    folder = environment(tmp_path / "env", f"{found}\nInstalling collected packages: a, b, c", 0)

    install.main([str(folder)])

    said = capsys.readouterr().out
    assert "about 280 MB to download, 830 MB on the disk" in said
    assert "25 packages found, 48 MB fetched" in said
    assert "unpacking 3 packages" in said
    assert "Collecting" not in said


def test_where_pip_fails_its_own_words_are_shown(
    install: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = environment(tmp_path / "env", "ERROR: No matching distribution found for numpy", 1)
    with pytest.raises(SystemExit, match="run the same command again"):
        install.main([str(folder)])
    assert "ERROR: No matching distribution found for numpy" in capsys.readouterr().err


def test_one_that_was_cut_off_is_made_again(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = environment(tmp_path / "env", "", 1)
    with pytest.raises(SystemExit):
        install.main([str(folder)])  # as if it had been killed while pip was at work
    half = folder / "half-a-package"
    half.touch()

    def make(command: list[str], **_: object) -> object:
        environment(folder, "", 0)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(install.subprocess, "run", make)
    install.main([str(folder)])

    assert not half.exists()
    assert not (folder / ".unfinished").exists()


def test_one_that_was_cut_off_while_its_environment_was_made_is_made_again(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "env"

    def make_without_pip_and_die(command: list[str], **_: object) -> object:
        environment(folder, "No module named pip", 1)
        raise KeyboardInterrupt

    def make(command: list[str], **_: object) -> object:
        environment(folder, "", 0)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(install.subprocess, "run", make_without_pip_and_die)
    with pytest.raises(KeyboardInterrupt):
        install.main([str(folder)])
    monkeypatch.setattr(install.subprocess, "run", make)
    install.main([str(folder)])

    assert not (folder / ".unfinished").exists()
