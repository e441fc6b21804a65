"""How much memory a file takes while it is read, beside its bytes."""

import tracemalloc

import pytest

from tandem.records.formats.reading import read

RECORD = "TY  - JOUR\nTI  - Sleep {letter}\nAB  - {abstract}\nER  - \n\n"


@pytest.mark.parametrize(("letter", "its_bytes"), [("ł", 2), ("😴", 4)], ids=ascii)
def test_the_text_of_a_file_is_in_memory_once(letter: str, its_bytes: int) -> None:
    data = (RECORD.format(letter=letter, abstract="word " * 4000) * 400).encode()
    tracemalloc.start()
    try:
        reading = read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reading.total == 400
    # It is begun with a byte a letter, and widened at the first that needs more.
    assert peak < (its_bytes + 1.3) * len(data)
