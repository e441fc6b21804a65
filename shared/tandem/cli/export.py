"""`tandem export`: a client of the HTTP interface, with a progress bar."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, get_args

import typer

from tandem.cli.records import NoServer, _client
from tandem.errors import TandemError
from tandem.records.export.names import ExportFormat

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 30
_READ_SECONDS = 600
"""A workbook is made as a whole before its first byte is sent."""

_UNPROCESSABLE = 422
_FORMATS: tuple[str, ...] = get_args(ExportFormat)


class NotWritten(TandemError):
    """The file could not be written; what stood there before still does."""

    code = "not_written"


def _known_format(value: str) -> str:
    # Not a choice of typer's: it complains of a missing one in several lines.
    if value not in _FORMATS:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(_FORMATS)}")
    return value


def export_records(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=_known_format,
            help=f"One of {', '.join(_FORMATS)}; decisions is the whole ledger, as CSV.",
        ),
    ],
    status: Annotated[
        str | None,
        typer.Option("--status", help="Only records of this status.", show_default=False),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option("--stage", help="Of the screening, e.g. title_abstract.", show_default=False),
    ] = None,
    *,
    include_duplicates: Annotated[
        bool, typer.Option("--include-duplicates", help="Linked duplicates, too.")
    ] = False,
) -> None:
    """Export records or decisions, over HTTP. Set TANDEM_TOKEN and, if elsewhere, TANDEM_URL."""
    asked = {"format": format, "status": status, "stage": stage}
    query = {name: value for name, value in asked.items() if value is not None}
    if include_duplicates:
        query["include_duplicates"] = "true"
    with _client() as client, replaced(output) as target:
        download(client, f"/reviews/{review_id}/export", query, target)


def download(client: "httpx.Client", path: str, query: dict[str, str], target: IO[bytes]) -> None:
    """Write what the server answers into an open file; raise what it says is wrong."""
    import httpx
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("export"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    timeout = httpx.Timeout(_CONNECT_SECONDS, read=_READ_SECONDS)
    try:
        with (
            client.stream("GET", path, params=query, timeout=timeout) as response,
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ):
            if response.is_error:
                _refuse(client, response)
            bar = progress.add_task("", total=None)
            for part in response.iter_bytes():
                target.write(part)
                progress.advance(bar, len(part))
    except httpx.TransportError as error:
        raise NoServer(
            f"{client.base_url} does not answer, or broke off ({error}). Set TANDEM_URL."
        ) from error


def _refuse(client: "httpx.Client", response: "httpx.Response") -> None:
    """Raise what the server says is wrong."""
    response.read()
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        raise NoServer(
            f"{client.base_url} answered {response.status_code} with something that is not "
            "Tandem's. Is TANDEM_URL right?"
        ) from None
    if response.status_code == _UNPROCESSABLE:
        raise typer.BadParameter(detail)
    raise NoServer(detail)


@contextmanager
def replaced(output: str) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `output` only once it is complete."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    if path.is_dir():
        raise typer.BadParameter(f"{output} is a folder")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise NotWritten(f"Cannot write {output}: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
