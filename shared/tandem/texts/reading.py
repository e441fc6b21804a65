"""Reads one file in a child process with limits: what is in a file must not reach this process.

The child has its own memory, so much of it, so much time of the processor, and no more output
than is expected. A file that needs more is `too_costly`. A slow machine fails no file: the limit
is time of the processor, not of the clock.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tandem.log import logger
from tandem.texts.kinds import MediaType

MEMORY = 512 << 20
"""Bytes of address space. A bomb of 389 kB would take 783 MB."""

PROCESSOR_SECONDS = 15
LARGEST_ANSWER = 64 << 20
MOST_SECONDS = 180
"""By the clock, after which a child has hung: that is the machine's fault, or ours."""

_OUT_OF_MEMORY, _CANNOT_RUN = 3, 4  # as in `reader.program`
_STOPPED_BY_LIMIT = frozenset(
    # PDFium ends itself by one of the last three where it gets no memory.
    {signal.SIGXCPU, signal.SIGKILL, signal.SIGXFSZ, signal.SIGABRT, signal.SIGILL, signal.SIGTRAP}
)

log_ = logger(__name__)


class TextProblem(StrEnum):
    """Why a file has no text.

    `not_a_pdf`: it is no PDF, Word document or plain text. `not_read`: reading it failed too
    often; see `GET /jobs`.
    """

    ENCRYPTED = "encrypted"
    TOO_COSTLY = "too_costly"
    DAMAGED = "damaged"
    NOT_A_PDF = "not_a_pdf"
    NOT_READ = "not_read"


class Unreadable(Exception):
    """The file is at fault; reading it again would end the same way."""

    def __init__(self, problem: TextProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Hung(Exception):
    """The child did not end, though it used little time of the processor."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """What a file says.

    Attributes:
        text: Plain text: LF, no control characters. Pages are joined by one LF.
        page_starts: Position of each page's first code point in `text`.
        pages: None where the kind of file has none.
        title: From its metadata; may be empty or rubbish.
        dois: From its metadata, as they stand there.
    """

    text: str
    page_starts: Sequence[int]
    pages: int | None
    title: str
    dois: Sequence[str]

    @property
    def is_empty(self) -> bool:
        return not self.text.strip()


def read(file: Path, media_type: MediaType) -> ReadText:
    """Return the text of a file.

    Raises:
        Unreadable: It has none that can be read within the limits.
        Hung: The machine did not run the child.
    """
    found = _json(_ask(file, {"do": "read", "media_type": media_type}))
    return ReadText(
        text=found["text"],
        page_starts=found["page_starts"],
        pages=found["pages"],
        title=found["title"] or "",
        dois=found["dois"],
    )


def picture(file: Path, *, page: int, width: int) -> bytes:
    """Return a page of a PDF, counted from 0, as PNG of so many pixels' width.

    Raises:
        Unreadable: It cannot be drawn within the limits.
        Hung: The machine did not run the child.
    """
    request = {"do": "picture", "media_type": MediaType.PDF, "page": page, "width": width}
    made = _ask(file, request)
    if made.startswith(b"{"):
        _json(made)
    return made


def boxes(file: Path, spans: Sequence[tuple[int, int, int]]) -> list[list[list[float]]]:
    """Return where spans (page from 0, begin and end in its text) stand; see `reader.pdf.boxes`.

    Raises:
        Unreadable: It cannot be read within the limits.
        Hung: The machine did not run the child.
    """
    found = _json(_ask(file, {"do": "boxes", "media_type": MediaType.PDF, "spans": spans}))
    made: list[list[list[float]]] = found["boxes"]
    return made


def _json(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer)
    if "problem" in found:
        raise Unreadable(TextProblem(found["problem"]))
    return found


def _ask(file: Path, request: dict[str, Any]) -> bytes:
    limits = {
        "AS": MEMORY,
        "CPU": PROCESSOR_SECONDS,
        "FSIZE": LARGEST_ANSWER,
        "CORE": 0,
        "NOFILE": 64,
        "NPROC": 0,
    }
    argument = json.dumps(request | {"limits": limits})
    argv = [sys.executable, "-I", "-m", "tandem.texts.reader.program", argument]
    with file.open("rb") as source, tempfile.TemporaryFile() as answer:
        # The answer goes to a file, whose size the kernel limits, and not into our memory.
        with subprocess.Popen(  # noqa: S603  # our own program; the file is its input
            argv,
            stdin=source,
            stdout=answer,
            stderr=subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,
        ) as child:
            try:
                _, output = child.communicate(timeout=MOST_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                raise Hung(f"The reader of a file did not end in {MOST_SECONDS} s.") from None
        if child.returncode:
            raise _failure(child.returncode, output)
        answer.seek(0)
        return answer.read()


def child_environment() -> dict[str, str]:
    """Return what a child learns of ours: no address of a database, no secret."""
    names = ("PATH", "LANG", "LC_ALL", "TMPDIR")
    return {name: os.environ[name] for name in names if name in os.environ}


def _failure(status: int, output: bytes) -> Exception:
    if status == _CANNOT_RUN:
        return RuntimeError(output.decode(errors="replace").strip())
    if status == _OUT_OF_MEMORY or (status < 0 and -status in _STOPPED_BY_LIMIT):
        return Unreadable(TextProblem.TOO_COSTLY)
    log_.warning(
        "the reader of a file failed", status=status, output=output[-500:].decode("latin-1")
    )
    return Unreadable(TextProblem.DAMAGED)
