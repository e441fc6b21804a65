"""Files that fuzzing made of others, each of which reached code that the others did not.

`benchmarks/fuzz_readers.py` makes more. It begins with `seed_*`, a small file of each format. A
file that fails there belongs here.
"""

from pathlib import Path
from typing import get_args

import pytest

from tandem.errors import TandemError
from tandem.records.formats import reading
from tandem.records.formats.entry import Rejection
from tandem.records.formats.pieces import FAULT
from tandem.records.formats.reading import Format

FUZZED = sorted((Path(__file__).parent / "fuzzed").iterdir())


def test_there_is_a_seed_of_each_format() -> None:
    """Workbooks and archives are packed: changed at random they are damaged, and no more."""
    wanted = {f"seed_{name}" for name in get_args(Format)} - {"seed_xlsx", "seed_zip"}
    assert wanted - {file.name for file in FUZZED} == set()


@pytest.mark.parametrize("file", FUZZED, ids=lambda file: file.name)
def test_a_strange_file_is_read_to_its_end_or_refused(file: Path) -> None:
    try:
        result = reading.read(file.read_bytes())
    except TandemError:
        return  # refused with a reason
    items = list(result.entries)
    assert len(items) == result.total
    assert not any(isinstance(item, Rejection) and FAULT in item.reason for item in items)
    if result.cut is not None:
        end = 0
        for start, following, _ in result.cut:
            assert start == end < following
            end = following
        assert end == len(result.cut.data)
