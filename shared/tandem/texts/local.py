"""A stored file as a path of this machine, for the programs that read it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from tandem.artifacts import Artifacts


@contextmanager
def local_file(artifacts: Artifacts, key: str) -> Iterator[Path]:
    """Give the path of a stored file, or of a copy that is gone afterwards.

    Raises:
        FileNotFoundError: There is none.
    """
    if (path := artifacts.local_path(key)) is not None:
        if not path.exists():
            raise FileNotFoundError(key)
        yield path
        return
    with artifacts.open(key) as source, NamedTemporaryFile() as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)
