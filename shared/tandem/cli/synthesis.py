"""`tandem synthesis`: sends a coded project, and prints what each construct rests on."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tandem.cli.export import download, replaced
from tandem.cli.records import _asked, _client

_ROWS = ("constructs", "themes", "codes")


def _rows(value: str) -> str:
    if value not in _ROWS:
        raise typer.BadParameter(f"choose one of {', '.join(_ROWS)}")
    return value


def account(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    project: Annotated[
        Path | None,
        typer.Argument(
            help="A coded project (.qdpx) to send first.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="Write all passages as CSV into this file.", show_default=False
        ),
    ] = None,
    rows: Annotated[
        str,
        typer.Option("--rows", callback=_rows, help="constructs, themes or codes."),
    ] = _ROWS[0],
    code_book: Annotated[
        Path | None,
        typer.Option(
            "--code-book",
            help="Give the review this code book first: .qdc, or a list of names.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    *,
    beside: Annotated[
        bool, typer.Option("--beside", help="Replace no earlier state of the project.")
    ] = False,
) -> None:
    """Print what each construct of the synthesis rests on, over HTTP."""
    address = f"/reviews/{review_id}/synthesis"
    with _client() as client:
        if code_book is not None:
            with code_book.open("rb") as file:
                _asked(
                    client, "PUT", f"{address}/code-book", files={"file": (code_book.name, file)}
                )
        if project is not None:
            with project.open("rb") as file:
                sent = _asked(
                    client,
                    "POST",
                    f"{address}/imports",
                    files={"file": (project.name, file)},
                    data={"beside": str(beside).lower()},
                )
            typer.echo("\n".join(_sent(sent)))
        if output is not None:
            with replaced(output) as target:
                download(client, f"{address}/matrix", {"format": "passages", "of": rows}, target)
            return
        found = _asked(client, "GET", f"{address}/matrix", params={"of": rows})
    typer.echo("\n".join(_lines(found)))


def _sent(sent: dict[str, Any]) -> list[str]:
    lines = ["{n_kept} passages kept, {n_moved} moved, {n_lost} lost".format(**sent)]
    if sent["replaces"]:
        lines.append(f"It takes the place of {len(sent['replaces'])} earlier.")
    strange = [one["name"] for one in sent["sources"] if one["record_id"] is None]
    lines += [f"  {name}: of no report of this review" for name in strange]
    return [*lines, ""]


def _lines(found: dict[str, Any]) -> list[str]:
    if not found["rows"]:
        return [f"There are no {found['of']}. An owner marks codes, or ask with --rows codes."]
    lines = [f"{'passages':>8}  {'studies':>7}  {found['of']}"]
    lines += [
        f"{row['n_passages']:>8}  {row['n_studies']:>7}  {' / '.join(row['path'])}"
        for row in found["rows"]
    ]
    none = [f"{one['key']} {one['label']}" for one in found["studies"] if one["feeds_none"]]
    lines += ["", f"Studies that feed none: {', '.join(none) or 'none'}"]
    if found["unused_reports"]:
        lines.append(f"Coded, but not included any more: {', '.join(found['unused_reports'])}")
    if found["n_lost"]:
        lines.append(f"{found['n_lost']} passages are not in the texts (lost).")
    if found["n_unmarked"]:
        lines.append(f"{found['n_unmarked']} passages are in no row.")
    return lines
