"""`tandem import`: a client of the HTTP interface, with a progress bar."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tandem.errors import TandemError

if TYPE_CHECKING:
    import httpx
    from rich.progress import Progress

_NO_CONTENT = 204
_LOOK_SECONDS = 0.2
_MOST_REJECTIONS_SHOWN = 10


class NoServer(TandemError):
    """No server is given, it does not answer, or it refused."""

    code = "no_server"


class ImportFailed(TandemError):
    """At least one of the files could not be imported."""

    code = "import_failed"


def import_records(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files as a database, a reference manager or a catalogue exports them.",
            exists=True,
            dir_okay=False,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option("--source", help="Where they come from, e.g. Medline.", show_default=False),
    ] = None,
) -> None:
    """Import files into a review, over HTTP. Set TANDEM_TOKEN and, if elsewhere, TANDEM_URL."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    bars = Progress(*columns, console=console, disable=not console.is_terminal)
    with _client() as client, bars as progress:
        done = [_import(client, review_id, path, source, progress) for path in files]
    for path, result in zip(files, done, strict=True):
        _report(path, result)
    if any(result["state"] == "failed" for result in done):
        raise ImportFailed("Not every file could be imported; see above.")


def _client() -> "httpx.Client":
    import httpx

    token = os.environ.get("TANDEM_TOKEN")
    if not token:
        raise NoServer("Set TANDEM_TOKEN to a token of `tandem token add EMAIL`.")
    url = (os.environ.get("TANDEM_URL") or url_on_this_machine()).rstrip("/")
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=120)


def url_on_this_machine() -> str:
    """Return the address of the installation that runs here, or where one would listen."""
    from tandem.config import Settings
    from tandem.installation.lock import holder
    from tandem.installation.up import local_url

    here = Settings()
    try:
        running = holder(here.data_dir)
    except OSError:  # somebody else's folder: its owner's installation may answer all the same
        running = None
    return running.url if running and running.url else local_url(here)


def _import(
    client: "httpx.Client", review_id: str, path: Path, source: str | None, progress: "Progress"
) -> dict[str, Any]:
    bar = progress.add_task(path.name, total=None)
    fields = {"source": source} if source else {}
    with path.open("rb") as file:
        started = _asked(
            client,
            "POST",
            f"/reviews/{review_id}/imports",
            files={"file": (path.name, file)},
            data=fields,
        )
    while True:
        state = _asked(client, "GET", f"/reviews/{review_id}/imports/{started['id']}")
        what, done, of = path.name, state["n_read"], state["n_total"]
        if state["step"] == "linking":
            what, done, of = f"{path.name}: duplicates, in percent", state["percent"], 100
        progress.update(bar, description=what, completed=done, total=of)
        if state["state"] in ("done", "failed"):
            return state
        time.sleep(_LOOK_SECONDS)


def _asked(client: "httpx.Client", method: str, path: str, **body: Any) -> dict[str, Any]:
    import httpx

    try:
        response = client.request(method, path, **body)
    except httpx.TransportError as error:
        raise NoServer(f"{client.base_url} does not answer ({error}). Set TANDEM_URL.") from error
    if response.status_code == _NO_CONTENT:
        return {}
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        raise NoServer(
            f"{client.base_url} answered {response.status_code} with something that is not "
            "Tandem's. Is TANDEM_URL right?"
        ) from None
    if response.is_error:
        raise NoServer(str(answer.get("detail", response.status_code)))
    return answer


def _report(path: Path, result: dict[str, Any]) -> None:
    if result["state"] == "failed":
        typer.echo(f"{path.name}: failed: {result['error']}")
        return
    counts = "{n_read} read, {n_added} added, {n_duplicates} duplicates, {n_rejected} rejected"
    typer.echo(f"{path.name}: {counts.format(**result)}")
    for rejection in result["rejected"][:_MOST_REJECTIONS_SHOWN]:
        typer.echo(f"  record {rejection['position']}: {rejection['reason']}")
    if result["n_rejected"] > _MOST_REJECTIONS_SHOWN:
        typer.echo(f"  and {result['n_rejected'] - _MOST_REJECTIONS_SHOWN} more")
    for warning in result.get("warnings", []):  # servers of before have none
        typer.echo(f"  {warning['detail']}")
