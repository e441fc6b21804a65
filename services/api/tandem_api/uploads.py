"""Forms with files, read so that every way to name a file counts."""

from contextlib import aclosing
from email.message import Message

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

_HEADER = "Content-Disposition"
_UNNAMED = "unnamed"


class Uploads(MultiPartParser):
    """Takes a part for a file also where only `filename*` names it (RFC 8187).

    The parser leaves that out, as RFC 7578 forbids it in forms; but clients send it, for names in
    other scripts, and their file would be taken for a text.
    """

    def on_headers_finished(self) -> None:
        header = self._current_part.content_disposition
        if header is not None and (name := _extended_name(bytes(header))) is not None:
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            self._current_part.content_disposition = (
                bytes(header) + b'; filename="' + quoted.encode(self._charset, "replace") + b'"'
            )
        super().on_headers_finished()


def _extended_name(disposition: bytes) -> str | None:
    """Return what `filename*` says, None without it or beside a plain `filename`."""
    header = Message()
    header[_HEADER] = disposition.decode("latin-1")
    names = [value for name, value in header.get_params([], _HEADER) if name.lower() == "filename"]
    if not names or not all(isinstance(value, tuple) for value in names):
        return None
    name = "".join(char if char.isprintable() else " " for char in header.get_filename() or "")
    return name.strip() or _UNNAMED


async def read_form(request: Request, *, max_part_size: int) -> FormData:
    """Return a request's multipart form. What is none is a bad request, as for the framework."""
    try:
        async with aclosing(request.stream()) as stream:
            return await Uploads(request.headers, stream, max_part_size=max_part_size).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from None
