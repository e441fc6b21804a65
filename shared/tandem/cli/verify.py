"""`tandem verify`: checks an exported audit trail, without a database; or fetches one first."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, cast
from uuid import UUID

import typer

from tandem.errors import TandemError

if TYPE_CHECKING:
    from tandem.audit.checked import Checked

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


class DoesNotHold(TandemError):
    """The trail contradicts itself, or what was noted of it."""

    code = "does_not_hold"


def _known_hash(value: str | None) -> str | None:
    if value is None:
        return None
    value = value.strip().lower()
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise typer.BadParameter("a hash has 64 hexadecimal digits")
    return value


def verify(
    trail: Annotated[
        str,
        typer.Argument(
            metavar="REVIEW_ID|FILE",
            help="An exported trail, packed with gzip or not; an RO-Crate; or the review.",
        ),
    ],
    expect_hash: Annotated[
        str | None,
        typer.Option(
            "--expect-hash",
            metavar="HASH",
            callback=_known_hash,
            show_default=False,
            help="A hash that you noted earlier: the trail must still contain it.",
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a review's audit trail: chain, statuses, conflicts, agreement and flow."""
    from tandem.audit.verify import check

    with _opened(trail) as file:
        is_crate = file.read(len(_ZIP)) == _ZIP
        file.seek(0)
        if is_crate:
            from tandem.handover.crate_check import check_crate

            checked = check_crate(file, expected_hash=expect_hash)
        else:
            checked = check(trail_lines(file, trail), expected_hash=expect_hash)
    typer.echo(json.dumps(checked.as_json()) if as_json else _table(checked))
    if checked.difference is not None:
        what = "crate" if is_crate else "trail"
        raise DoesNotHold(f"The {what} does not hold {checked.difference}.")


@contextmanager
def _opened(trail: str) -> Iterator[IO[bytes]]:
    path = Path(trail)
    if path.is_dir():
        raise typer.BadParameter(f"{trail} is a folder")
    if path.exists():
        try:
            with path.open("rb") as file:
                yield file
        except OSError as error:
            raise TandemError(f"Cannot read {trail}: {error.strerror or error}.") from error
        return
    try:
        review_id = UUID(trail)
    except ValueError:
        raise typer.BadParameter(f"{trail} is no file, and no review's id") from None
    from tandem.cli.export import download
    from tandem.cli.records import _client

    with TemporaryFile() as file, _client() as client:
        download(client, f"/reviews/{review_id}/export", {"format": "trail"}, file)
        file.seek(0)
        yield file


def trail_lines(file: IO[bytes], name: str) -> Iterator[str]:
    is_packed = file.read(2) == _GZIP
    file.seek(0)
    source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
    try:
        for line in source:
            yield line.decode()
    except (EOFError, OSError) as error:
        raise TandemError(f"Cannot unpack {name}: {error}.") from error
    except UnicodeDecodeError:
        raise TandemError(f"{name} is no audit trail: it is not UTF-8.") from None


def _table(checked: "Checked") -> str:
    rows = {
        "entries": checked.n_entries,
        "decisions": checked.n_decisions,
        "statuses": checked.n_statuses,
        "open conflicts": checked.n_conflicts,
        "texts": checked.n_texts,
        "figures": checked.n_figures,
    }
    if checked.n_boxes:
        rows["boxes of the flow"] = checked.n_boxes
    if checked.n_sources_open:
        rows["records whose source is not compared"] = checked.n_sources_open
    if checked.n_files:
        rows["files of full texts"] = checked.n_files
    if checked.n_audits:
        rows["audits of recall"] = checked.n_audits
    if checked.n_texts_open:
        rows["texts not sealed"] = checked.n_texts_open
    if checked.texts_since is not None:
        rows["texts sealed by entry"] = checked.texts_since
    if checked.n_sealed:
        rows["sealed entries"] = checked.n_sealed
        rows["statuses not derived"] = checked.n_underivable
    text = [f"{checked.title} ({checked.review})"]
    text += [f"  {name:<21}{n:>9,}" for name, n in rows.items()]
    text.append(f"  {'last hash':<21}{checked.last_hash}")
    if checked.ok:
        text.append("Everything follows from the log, and its chain is whole.")
    return "\n".join(text)
