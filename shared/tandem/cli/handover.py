"""`tandem handover` and `tandem report`: clients of the HTTP interface, with progress bars."""

from pathlib import Path
from typing import Annotated

import typer

from tandem.cli.export import download, replaced
from tandem.cli.records import _client

_FORMATS = ("qdpx", "qdc", "zip")
_REPORTS = ("docx", "html", "md")

Review = Annotated[str, typer.Argument(help="The review's id.")]
Output = Annotated[
    str, typer.Option("--output", "-o", help="File to write; its ending names the format.")
]


def hand_over(
    review_id: Review,
    output: Output,
    *,
    texts: Annotated[
        bool | None,
        typer.Option(
            "--texts/--no-texts",
            help="With the full texts, as all but a crate are.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Hand the included reports over to the synthesis: .qdpx, .qdc, .zip or .crate.zip."""
    is_crate = output.lower().endswith(".crate.zip")
    format = "rocrate" if is_crate else _format(output, _FORMATS)
    query = {"format": format}
    if texts is not None:
        query["texts"] = str(texts).lower()
    with _client() as client, replaced(output) as file:
        download(client, f"/reviews/{review_id}/handover", query, file)


def report_methods(review_id: Review, output: Output) -> None:
    """Write the report of the review's methods: .docx, .html or .md."""
    query = {"format": _format(output, _REPORTS)}
    with _client() as client, replaced(output) as file:
        download(client, f"/reviews/{review_id}/methods-report", query, file)


def _format(output: str, known: tuple[str, ...]) -> str:
    ending = Path(output).suffix.removeprefix(".").lower()
    if ending not in known:
        endings = ", ".join(f".{one}" for one in known)
        raise typer.BadParameter(f"{output!r} ends in none of {endings}")
    return ending
