"""Files that are too large for the database: uploads and computed features.

They live in a folder or at any fsspec URL (s3://…), so that workers on other hosts reach them.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import fsspec

from tandem.db.faults import meaning
from tandem.errors import Unavailable


class Artifacts:
    """A store of files by key. A key is a relative path with forward slashes."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)

    def write(self, key: str, source: BinaryIO) -> None:
        """Store everything that `source` still holds. The file appears whole or not at all.

        Raises:
            StorageFull: There is no room.
            Unavailable: The store does not answer.
        """
        target = self._path(key)
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        partial = f"{target}.partial"
        try:
            with self._fs.open(partial, "wb") as file:
                shutil.copyfileobj(source, file)
            self._fs.mv(partial, target)
        except OSError as error:
            with suppress(OSError):
                self._fs.rm(partial)
            raise (
                meaning(error)
                or Unavailable(f"The file could not be stored: {error.strerror or error}.")
            ) from error

    def read(self, key: str) -> bytes:
        """Return the whole file; FileNotFoundError if there is none."""
        with self._fs.open(self._path(key), "rb") as file:
            content: bytes = file.read()
        return content

    def open(self, key: str) -> BinaryIO:
        """Open a file to read it piece by piece; FileNotFoundError if there is none."""
        file: BinaryIO = self._fs.open(self._path(key), "rb")
        return file

    def size(self, key: str) -> int | None:
        """Return how many bytes the file has; None if there is none."""
        try:
            return int(self._fs.size(self._path(key)))
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        return bool(self._fs.exists(self._path(key)))

    def remove(self, key: str) -> None:
        path = self._path(key)
        if self._fs.exists(path):
            self._fs.rm(path, recursive=True)

    def local_path(self, key: str) -> Path | None:
        """Return where `key` lies when the store is a folder of this machine, else None."""
        protocols = self._fs.protocol
        names = {protocols} if isinstance(protocols, str) else set(protocols)
        return Path(self._path(key)) if "file" in names else None

    def list(self, key: str) -> list[str]:
        """Return the names directly under a key, sorted; empty if there are none."""
        path = self._path(key)
        if not self._fs.isdir(path):
            return []
        entries = self._fs.ls(path, detail=False)
        return sorted(str(entry).rstrip("/").rpartition("/")[2] for entry in entries)

    def _path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}"
