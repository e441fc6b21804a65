"""What somebody should look at in an import whose records were all read.

A warning changes nothing: it says what may be wrong, and what to do then.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from tandem.records.formats.entry import Entry
from tandem.records.models import Import

_LONGEST_TITLE = 80


class Warned(StrEnum):
    """What a warning is about."""

    SAME_FILE = "same_file"
    BREAKS_OFF = "breaks_off"
    NOTHING_READ = "nothing_read"


def same_file(before: Import) -> dict[str, Any]:
    """Say that the very same file was imported before."""
    return _warning(
        Warned.SAME_FILE,
        f"The very same file was imported on {before.created_at:%-d %B %Y} as "
        f"“{before.filename}”. Its records come a second time, as duplicates or as proposals of "
        "duplicates. If that is not what you want, take this import back.",
    )


def without_same_file(warned: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the other warnings."""
    return [one for one in warned if one["code"] != Warned.SAME_FILE]


def breaks_off(entry: Entry) -> dict[str, Any]:
    """Say that the file ends before its last record does."""
    title = f" (“{entry.title[:_LONGEST_TITLE]}”)" if entry.title else ""
    return _warning(
        Warned.BREAKS_OFF,
        f"The file ends inside its last record{title}: the download may have been broken "
        "off. Compare how many records the database has found. If some are missing, take this "
        "import back and export the file again.",
    )


def nothing_read(n_rejected: int) -> dict[str, Any]:
    """Say that the file has brought no record at all."""
    match n_rejected:
        case 0:
            why = "There is no entry in it."
        case 1:
            why = (
                "The only entry in it could not be read as a record, and is listed with the reason."
            )
        case _:
            why = (
                f"None of the {n_rejected:,} entries in it could be read as a record; they are "
                "listed with the reasons."
            )
    return _warning(
        Warned.NOTHING_READ,
        f"No record came of this file. {why} Export the records again, as RIS for instance, and "
        "import that file.",
    )


def _warning(code: Warned, detail: str) -> dict[str, Any]:
    return {"code": code.value, "detail": detail}
