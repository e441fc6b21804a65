"""An import that takes more memory than it may says so before it stores anything."""

import pytest

from service.domain.importing import Importer, titled
from tandem.records import import_memory
from tandem.records.models import ImportState


def test_a_file_that_takes_too_much_to_be_read_is_not_begun(importer: Importer) -> None:
    import_id = importer.accept(titled(range(3)))
    assert importer.run(import_id, memory=1) == importer.review_id

    row = importer.get(import_id)
    assert row.state is ImportState.FAILED
    assert row.error is not None
    assert row.error.startswith("The file takes 160 MiB of memory to be read, and here an import")
    assert "Split it into files" in row.error
    assert "TANDEM_IMPORT_MEMORY_MIB" in row.error
    assert importer.records() == []


def test_a_review_that_would_take_too_much_to_be_compared_is_left_as_it_is(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.read(titled(range(3)))
    monkeypatch.setattr(import_memory, "_OF_A_RECORD", 1 << 20)
    import_id = importer.accept(titled(range(3, 8)))
    assert importer.run(import_id, memory=166) == importer.review_id

    row = importer.get(import_id)
    assert row.state is ImportState.FAILED
    assert row.error is not None
    assert row.error.startswith("With this file the review has 8 records.")
    assert "takes 168 MiB of memory, and here an import may take 166: enough for 6" in row.error
    assert len(importer.records()) == 3


def test_what_fits_is_read(importer: Importer) -> None:
    import_id = importer.accept(titled(range(3)))
    assert importer.run(import_id, memory=300) == importer.review_id
    assert importer.get(import_id).state is ImportState.DONE


@pytest.mark.parametrize(
    ("letter", "expected"), [("a", 3), ("é", 3), ("ł", 4), ("😴", 6)], ids=ascii
)
def test_the_widest_letter_of_a_text_decides(letter: str, expected: int) -> None:
    data = f"TI  - {letter} {'x' * 1000}".encode()
    assert import_memory.to_read(data) == expected * len(data)
