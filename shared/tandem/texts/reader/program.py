"""`python -m tandem.texts.reader.program REQUEST`: reads the one file that is its standard input.

REQUEST is JSON: what to do. The answer goes to standard output. Memory, time and output of this
process are limited before it looks at the file; see `tandem.texts.reading`, which starts it.
"""

import json
import resource
import sys
from typing import Any

OUT_OF_MEMORY = 3
CANNOT_RUN = 4


def limit(bounds: dict[str, int]) -> None:
    """Take rights away from this process, for good. What a platform does not have is left out."""
    for name, value in bounds.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):  # macOS knows a limit of memory, but takes none
            continue


def answer(request: dict[str, Any], content: bytes) -> bytes:
    """Do what is asked; `problem` says why the file cannot be read."""
    # Here, as everything has to be within the limits.
    from tandem.texts.reader.failing import Unreadable

    try:
        return _done(request, content)
    except Unreadable as error:
        return _json({"problem": error.problem, "detail": str(error)})


def _done(request: dict[str, Any], content: bytes) -> bytes:
    from tandem.texts.reader import pdf

    match request["do"], request["media_type"]:
        case "read", "application/pdf":
            return _json(pdf.read(content))
        case "read", "text/plain":
            from tandem.texts.reader import other

            return _json(other.read_plain(content))
        case "read", _:
            from tandem.texts.reader import other

            return _json(other.read_word(content))
        case "picture", _:
            return pdf.picture(content, request["page"], request["width"])
        case "boxes", _:
            return _json({"boxes": pdf.boxes(content, request["spans"])})
        case what, _:
            raise ValueError(what)


def _json(found: dict[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")


def main() -> int:
    request = json.loads(sys.argv[1])
    limit(request["limits"])
    try:
        import pypdfium2  # noqa: F401  # without it no file is at fault
    except ImportError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the parent logs it
        return CANNOT_RUN
    try:
        made = answer(request, sys.stdin.buffer.read())
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    except (MemoryError, OSError):  # the latter: more output than it may write
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
