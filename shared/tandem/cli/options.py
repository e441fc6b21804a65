"""Options that several commands share, and the settings that follow from them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tandem.config import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of the embedded installation, as TANDEM_DATA_DIR.",
        show_default=False,
        file_okay=False,
        resolve_path=True,
    ),
]
Host = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen on, as TANDEM_HOST.", show_default=False),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        help="Port to listen on, as TANDEM_PORT.",
        show_default=False,
        min=1,
        max=65535,
    ),
]


def installation(
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    api_processes: int | None = None,
) -> "Settings":
    """Return the settings of this process: options before variables before defaults.

    Options become variables, so whatever reads the settings later in this process, or in a
    process that this one becomes or starts, finds the same installation.

    Raises:
        pydantic.ValidationError: A variable has a value that it cannot have.
    """
    from tandem.config import settings

    chosen = {
        "TANDEM_DATA_DIR": data_dir,
        "TANDEM_HOST": host,
        "TANDEM_PORT": port,
        "TANDEM_API_PROCESSES": api_processes,
    }
    os.environ.update({name: str(value) for name, value in chosen.items() if value is not None})
    settings.cache_clear()
    return settings()
