"""Zip files that are made while they are sent, and the same bytes each time."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive; `parts` is gone through once, when its turn comes."""

    name: str
    parts: Iterable[bytes]


class _Sink(io.RawIOBase):
    """Keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._waiting = list[bytes]()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._waiting.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield a zip file of the entries in their order, with the time left out."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _EPOCH)
            # Also what is compressed already: many readers cannot skip entries stored in a stream.
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            with archive.open(info, "w") as out:
                for part in entry.parts:
                    out.write(part)
                    if made := sink.take():
                        yield made
            if made := sink.take():
                yield made
    yield sink.take()


class Manifest:
    """Counts and hashes what goes through it: `lines` are complete once all was sent."""

    def __init__(self) -> None:
        self.lines = list[tuple[str, int, str]]()

    def counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            yield Entry(entry.name, self._parts(entry))

    def _parts(self, entry: Entry) -> Iterator[bytes]:
        digest, n = hashlib.sha256(), 0
        for part in entry.parts:
            digest.update(part)
            n += len(part)
            yield part
        self.lines.append((entry.name, n, digest.hexdigest()))
