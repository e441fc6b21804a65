"""`tandem backup` and `tandem restore`: the whole installation as one file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tandem.cli.options import DataDir, installation
from tandem.errors import TandemError

if TYPE_CHECKING:
    from tandem.installation.backup.archive import Manifest
    from tandem.progress import OnProgress


class DoesNotHold(TandemError):
    """Everything was restored, but some review's audit trail contradicts itself."""

    code = "does_not_hold"


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write.", dir_okay=False)],
    data_dir: DataDir = None,
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Write database and uploaded files into one archive, while Tandem runs."""
    settings = installation(data_dir=data_dir)
    from tandem.installation.backup.taking import back_up

    with _bar("backup") as on_progress:
        manifest = back_up(settings, file, replace=overwrite, on_progress=on_progress)
    typer.echo(f"{file}: {_described(manifest)}, {file.stat().st_size / (1 << 20):,.1f} MiB.")
    for key in manifest.missing:
        typer.echo(f"  missing in the store, so not in the backup: {key}", err=True)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `tandem backup` has written.")],
    data_dir: DataDir = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what the installation holds now.")
    ] = False,
) -> None:
    """Restore the installation from a backup, then check every review's audit trail."""
    settings = installation(data_dir=data_dir)
    from tandem.installation.backup.restoring import restore as bring_back

    with _bar("restore") as on_progress:
        restored = bring_back(settings, file, replace=replace, on_progress=on_progress)
    typer.echo(f"Restored {_described(restored.manifest)}.")
    if restored.schema != restored.manifest.schema:
        typer.echo(f"The schema went from {restored.manifest.schema} to {restored.schema}.")
    wrong = [review for review in restored.reviews if not review.ok]
    for review in wrong:
        typer.echo(f"  {review.title} ({review.review_id}): says {review.difference}")
    n_entries = sum(review.n_entries for review in restored.reviews)
    n_ok = len(restored.reviews) - len(wrong)
    typer.echo(
        f"Checked: {n_ok} of {len(restored.reviews)} reviews follow from their audit trail "
        f"({n_entries:,} entries)."
    )
    if settings.redis_url is not None:
        typer.echo("Empty the broker before you start Tandem: its stream may be of later events.")
    if wrong:
        raise DoesNotHold(f"{len(wrong)} reviews were restored, but their trail does not hold.")


def _described(manifest: "Manifest") -> str:
    counts = manifest.counts
    return (
        f"Tandem {manifest.version} of {manifest.made_at}, schema {manifest.schema} on "
        f"{manifest.engine}: {counts.get('review', 0):,} reviews, {counts.get('record', 0):,} "
        f"records, {counts.get('decision', 0):,} decisions, {len(manifest.artifacts):,} files"
    )


@contextmanager
def _bar(name: str) -> "Iterator[OnProgress]":
    """Show a bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn(name), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda share: progress.update(task, completed=share)
