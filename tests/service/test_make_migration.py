"""`make migration M="…"`, in a copy of the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def write(copy: Path, message: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(copy / "tools" / "migration.py"), message]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copied(folder: Path) -> Path:
    for name in ("tools", "migrations"):
        shutil.copytree(CHECKOUT / name, folder / name)
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    return folder


def test_it_writes_the_next_number_and_nothing_where_the_models_have_nothing_new(
    tmp_path: Path,
) -> None:
    copy = copied(tmp_path)
    known = {file.name for file in (copy / "migrations/versions").glob("*.py")}
    newest = max(int(name[:4]) for name in known)

    done = write(copy, "Nothing is new.")

    assert done.returncode == 0, done.stderr
    (made,) = [f for f in (copy / "migrations/versions").glob("*.py") if f.name not in known]
    assert made.name == f"{newest + 1:04}_nothing_is_new.py"
    text = made.read_text("utf-8")
    assert text.startswith('"""Nothing is new."""')
    assert f'down_revision = "{newest:04}"' in text
    assert "op." not in text, "the models have something that no migration makes"


def test_without_a_message_it_says_how_to_give_one(tmp_path: Path) -> None:
    done = write(copied(tmp_path), "")

    assert done.returncode == 1
    assert 'M="' in done.stderr
