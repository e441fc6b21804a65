"""`tandem texts`: sends a folder of full texts over HTTP, and says which of them need a person."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tandem.cli.records import _asked, _client
from tandem.errors import TandemError

if TYPE_CHECKING:
    import httpx
    from rich.progress import Progress

_LOOK_SECONDS = 0.5
_MOST_BYTES = 200 << 20
"""Of one batch, unless a single file is larger; servers accept 512 MiB by default."""

_MOST_FILES = 200
_ENDINGS = frozenset({".pdf", ".docx", ".txt", ".zip"})


class NothingToSend(TandemError):
    """There is no full text in the folder."""

    code = "nothing_to_send"


class TextsFailed(TandemError):
    """At least one of the files could not be taken."""

    code = "texts_failed"


def send_texts(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    folder: Annotated[
        Path, typer.Argument(help="A folder of full texts, a single file, or a zip.", exists=True)
    ],
    map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="Which file is of which record: RIS, EndNote XML, BibTeX or CSV.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Send full texts to a review, over HTTP. Set TANDEM_TOKEN and, if elsewhere, TANDEM_URL."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    root = folder if folder.is_dir() else folder.parent
    files = [*_files(folder)]
    if not files:
        raise NothingToSend(f"There is no .pdf, .docx, .txt or .zip in {folder}.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    bars = Progress(*columns, console=console, disable=not console.is_terminal)
    with _client() as client, bars as progress:
        items = [
            item
            for some in _parts(files)
            for item in _send(client, review_id, root, some, map, progress)
        ]
    _report(items)


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        yield folder
        return
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.suffix.lower() in _ENDINGS and not is_hidden:
            yield path


def _parts(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """Yield the files in batches that servers accept."""
    some: list[Path] = []
    n_bytes = 0
    for path in files:
        size = path.stat().st_size
        if some and (len(some) == _MOST_FILES or n_bytes + size > _MOST_BYTES):
            yield some
            some, n_bytes = [], 0
        some.append(path)
        n_bytes += size
    yield some


def _send(
    client: "httpx.Client",
    review_id: str,
    root: Path,
    files: Sequence[Path],
    map: Path | None,
    progress: "Progress",
) -> list[dict[str, Any]]:
    bar = progress.add_task(f"{len(files)} files: sending", total=None)
    with ExitStack() as stack:
        parts = [
            ("files", (path.relative_to(root).as_posix(), stack.enter_context(path.open("rb"))))
            for path in files
        ]
        if map is not None:
            parts.append(("map", (map.name, stack.enter_context(map.open("rb")))))
        batch = _asked(client, "POST", f"/reviews/{review_id}/texts", files=parts)
    while batch["state"] == "reading":
        n_read = batch["n_files"] - batch["n_reading"]
        progress.update(bar, description="reading", completed=n_read, total=batch["n_files"])
        time.sleep(_LOOK_SECONDS)
        batch = _asked(client, "GET", f"/reviews/{review_id}/text-batches/{batch['id']}")
    progress.update(bar, description="read", completed=batch["n_files"], total=batch["n_files"])
    items: list[dict[str, Any]] = batch["items"]
    return items


def _report(items: Sequence[dict[str, Any]]) -> None:
    """Say how many were placed, and name each file that needs somebody.

    Raises:
        TextsFailed: Some could not be taken.
    """
    states = [item["state"] for item in items]
    n_known, n_matched = states.count("known"), states.count("matched")
    to_settle = [item for item in items if item["state"] in ("proposed", "unmatched")]
    failed = [item for item in items if item["state"] == "failed"]
    typer.echo(
        f"{len(items)} file{'' if len(items) == 1 else 's'}: {n_matched} placed, {n_known} known, "
        f"{len(to_settle)} to settle, {len(failed)} failed"
    )
    for item in to_settle:
        named = ", ".join(f"{one['record_id']} ({one['evidence']})" for one in item["candidates"])
        typer.echo(f"  {item['filename']}: {'of ' + named + '?' if named else 'of which report?'}")
    for item in failed:
        typer.echo(f"  {item['filename']}: failed: {item['problem'].replace('_', ' ')}")
    if failed:
        raise TextsFailed("Not every file could be taken; see above.")
