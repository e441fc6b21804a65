"""Out to QualCoder and back: its own importer takes the hand-over, its own exporter gives it back.

    python benchmarks/qualcoder.py path/to/QualCoder/src/qualcoder

QualCoder is not on PyPI: check out github.com/ccbogel/QualCoder. Its `refi.py` runs as it is, with
stubs in place of its screens, and with the tables that its `__main__.py` creates. Between the two,
passages are coded in its database as its window does it. Prints what it took in, and what
`tandem synthesis` says of the passages that come back.
"""

import argparse
import ast
import builtins
import importlib.util
import io
import os
import random
import sqlite3
import sys
import types
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pdfs
from tandem.synthesis.known import KnownTexts
from tandem.synthesis.project import CodedFile
from tandem.synthesis.reading import read_back
from tandem.texts.kinds import MediaType
from unit.synthesis.test_out_and_back import Texts, project

N_SOURCES, N_PASSAGES = 40, 10
_FOLDERS = ("documents", "images", "audio", "video")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="The folder with QualCoder's refi.py.")
    source = parser.parse_args().source
    plains = [
        "\n".join(
            f"Line {line} of report {n} \U0001d4ab: \U0001f9e0 peers & <others>, “said” they."
            for line in range(60)
        )
        for n in range(1, N_SOURCES + 1)
    ]
    print(f"{'sources':<8} {'line ends':<10} {'taken in':>8} {'as sent':>8} {'coded':>6} ", end="")
    print(f"{'kept':>5} {'moved':>6} {'lost':>5} {'same words':>11}  found by")
    for media in (MediaType.PDF, MediaType.PLAIN):
        for crlf in (False, True):
            print(run(source, plains, media, crlf=crlf))


def run(source: Path, plains: list[str], media: MediaType, *, crlf: bool) -> str:
    """Return a line of the table: one kind of source, one answer to its question of line ends."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / ".qualcoder").mkdir()
        os.environ["HOME"] = folder
        app = _app(source, home)
        sent = home / "out.qdpx"
        sent.write_bytes(project(plains, media, pdf=pdfs.pdf(["A report"])))
        refi = _refi(source, sent, home, crlf=crlf)
        refi.RefiImport(app, MagicMock(), "qde")
        texts = app.conn.execute("select id, fulltext from source order by id").fetchall()
        n_same = sum(text in plains for _, text in texts)
        quotes = _code(app.conn, texts)
        before = {*home.glob("*.qdpx")}
        refi.RefiExport(app, MagicMock(), "project")
        (back,) = {*home.glob("*.qdpx")} - before
        file = CodedFile(io.BytesIO(back.read_bytes()))
        found = read_back(file, cast("KnownTexts", Texts(plains)))
    states = Counter(str(one.place.state) for one in found.passages)
    same = Counter(one.place.quote for one in found.passages) & Counter(quotes)
    ways = Counter(str(one.found_by) for one in found.sources)
    return (
        f"{media.name:<8} {'CRLF' if crlf else 'LF':<10} {len(texts):>8} {n_same:>8} "
        f"{len(quotes):>6} {states['kept']:>5} {states['moved']:>6} {states['lost']:>5} "
        f"{same.total():>11}  {dict(ways)}"
    )


def _code(database: sqlite3.Connection, texts: list[tuple[int, str]]) -> list[str]:
    """Code passages as QualCoder's window does, and return their words."""
    chance, quotes = random.Random(1), list[str]()
    database.execute(
        "insert into code_name (name, memo, owner, date, color) "
        "values ('Trust', '', 'ann', ?, '#F00')",
        [_DATE],
    )
    for source_id, text in texts:
        for _ in range(N_PASSAGES):
            start = chance.randrange(len(text) - 200)
            end = start + chance.randrange(5, 200)
            row = [1, source_id, text[start:end], start, end, "ann", _DATE, ""]
            database.execute(
                "insert into code_text (cid, fid, seltext, pos0, pos1, owner, date, memo) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            quotes.append(text[start:end])
    return quotes


_DATE = "2026-11-29 12:00:00"


def _app(source: Path, home: Path) -> Any:
    """Return what `refi.py` needs of QualCoder's application: a project with its own tables."""
    folder = home / "coded.qda"
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True)
    database = sqlite3.connect(folder / "data.qda")
    made = set[str]()
    for node in ast.walk(ast.parse((source / "__main__.py").read_text())):
        if isinstance(node, ast.Constant) and str(node.value).startswith("CREATE TABLE "):
            name = str(node.value).split()[2]
            if name not in made:
                made.add(name)
                database.execute(str(node.value))
    database.execute("insert into project (date, memo, about) values (?, '', '')", [_DATE])
    app = MagicMock()
    app.conn, app.project_path, app.project_name = database, str(folder), "coded.qda"
    app.version, app.project_events = "QualCoder", None
    app.settings = {"codername": "ann", "directory": str(home), "ai_enable": "False"}
    app.get_annotations.return_value = []
    return app


def _refi(source: Path, sent: Path, home: Path, *, crlf: bool) -> Any:
    """Return QualCoder's module for REFI-QDA, without its screens."""
    builtins._ = lambda text: text  # type: ignore[attr-defined]  # as gettext installs it
    widgets = MagicMock()
    widgets.QDialog = type("QDialog", (), {"__init__": lambda self, *_: None})
    widgets.QFileDialog.getOpenFileName.return_value = (str(sent), True)
    widgets.QFileDialog.getExistingDirectory.return_value = str(home)
    stubs = {
        "PyQt6": MagicMock(QtWidgets=widgets),
        "PyQt6.QtWidgets": widgets,
        "vlc": MagicMock(),
        "qualcoder": types.ModuleType("qualcoder"),
        "qualcoder.color_selector": MagicMock(
            colors=["#F00"] * 120, color_matcher=lambda color: color
        ),
        "qualcoder.GUI": MagicMock(),
        "qualcoder.GUI.ui_dialog_refi_export_endings": MagicMock(),
        "qualcoder.helpers": MagicMock(),
    }
    sys.modules.update(cast("dict[str, types.ModuleType]", stubs))
    spec = importlib.util.spec_from_file_location("qualcoder.refi", source / "refi.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    endings = MagicMock()
    endings.return_value.ui.radioButton_maxqda.isChecked.return_value = crlf
    module.RefiLineEndings = endings
    return module


if __name__ == "__main__":
    main()
