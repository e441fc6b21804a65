"""`tandem prisma`: the flow diagram as a file, over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from tandem.cli.export import download, replaced
from tandem.cli.records import _client

FORMATS = ("svg", "png", "csv", "json")


def write_flow(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="File to write: its ending is one of svg, png, csv, json."
        ),
    ],
    wave: Annotated[
        int | None, typer.Option("--wave", help="Only what this search found.", show_default=False)
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            help="new_v1, new_v2, updated_v1 or updated_v2; v2 has other methods.",
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        int | None,
        typer.Option("--as-of", help="How it was after this event.", show_default=False),
    ] = None,
) -> None:
    """Write the PRISMA 2020 flow of a review. Set TANDEM_TOKEN and, if elsewhere, TANDEM_URL.

    csv is the table that the R package PRISMA2020 reads.
    """
    ending = Path(output).suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise typer.BadParameter(f"{output} ends in none of {', '.join(FORMATS)}.")
    asked = {"wave": wave, "template": template, "as_of": as_of}
    query = {name: str(value) for name, value in asked.items() if value is not None}
    with _client() as client, replaced(output) as target:
        download(client, f"/reviews/{review_id}/prisma.{ending}", query, target)
