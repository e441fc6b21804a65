"""Files of any store, as paths of this machine."""

from io import BytesIO
from pathlib import Path

import pytest

from tandem.artifacts import Artifacts
from tandem.texts.local import local_file


@pytest.mark.parametrize("is_far", [False, True])
def test_a_stored_file_has_a_path(is_far: bool, tmp_path: Path) -> None:
    store = Artifacts("memory://texts" if is_far else str(tmp_path))
    store.write("texts/a", BytesIO(b"content"))

    with local_file(store, "texts/a") as path:
        assert path.read_bytes() == b"content"

    assert path.exists() is not is_far


def test_one_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    for store in (Artifacts("memory://none"), Artifacts(str(tmp_path))):
        with pytest.raises(FileNotFoundError), local_file(store, "texts/none"):
            raise AssertionError("there is no such file")
