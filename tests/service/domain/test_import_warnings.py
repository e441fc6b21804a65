"""What an import says of a file that came before, and of one that has brought nothing."""

import io
import zipfile

import pytest

from service.domain.importing import Importer, counts, ris, titled, while_reading
from tandem.ids import ImportId
from tandem.operations import jobs
from tandem.records import importing
from tandem.records.models import ImportState

pytestmark = pytest.mark.both_engines

NBIB = b"PMID- 11111111\nTI  - Walking.\n\nPMID- 22222222\nTI  - Swimming.\n\n"
NOT_READ = importing.NoRecords("not read")


def packed(**files: bytes) -> bytes:
    packs = io.BytesIO()
    with zipfile.ZipFile(packs, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packs.getvalue()


def warned(importer: Importer, import_id: ImportId) -> list[str]:
    return [one["code"] for one in importer.get(import_id).warnings]


def fail(importer: Importer, monkeypatch: pytest.MonkeyPatch, import_id: ImportId) -> None:
    """Let the import fail before anything of its file is stored."""

    def happens() -> None:
        raise NOT_READ

    with monkeypatch.context() as patched:
        while_reading(patched, happens)
        importer.run(import_id)
    assert importer.get(import_id).state is ImportState.FAILED


@pytest.mark.parametrize(
    ("content", "n", "says"),
    [
        (packed(a=b"Dear colleague", b=b"%PDF-1.7"), 2, "None of the 2 entries"),
        (packed(a=b"Dear colleague"), 1, "The only entry"),
        (b"TY  - JOUR\nER  - \nTY  - JOUR\nER  - \n", 2, "None of the 2 entries"),
    ],
    ids=["an archive", "an archive of one file", "records without a title"],
)
def test_a_file_that_brings_no_record_says_so(
    importer: Importer, content: bytes, n: int, says: str
) -> None:
    row = importer.read(content)

    assert (row.state, counts(row)) == (ImportState.DONE, (n, 0, 0, n))
    (warning,) = row.warnings
    assert (warning["code"], says in warning["detail"]) == ("nothing_read", True)
    assert [one["code"] for one in importer.read(content).warnings] == ["nothing_read"]


def test_one_record_among_what_cannot_be_read_is_enough(importer: Importer) -> None:
    row = importer.read(packed(a=b"Dear colleague", b=NBIB))

    assert (counts(row), row.warnings) == ((3, 2, 0, 1), [])


def test_a_file_whose_first_import_has_failed_is_no_repetition(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = importer.accept(NBIB), importer.accept(NBIB)
    assert (warned(importer, first), warned(importer, again)) == ([], ["same_file"])

    fail(importer, monkeypatch, first)

    assert (warned(importer, first), warned(importer, again)) == ([], [])


def test_a_failed_import_that_is_tried_again_makes_the_second_a_repetition(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = importer.accept(NBIB)
    fail(importer, monkeypatch, first)
    again = importer.read(NBIB)
    assert again.warnings == []

    with importer.database.write.begin() as session:
        jobs.retry(session, job_id=f"import-{first}", by=importer.owner.id)
    importer.run(first)

    assert importer.get(first).state is ImportState.DONE
    assert (warned(importer, first), warned(importer, again.id)) == ([], ["same_file"])


def test_what_was_read_of_a_file_before_it_failed_makes_the_next_a_repetition(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = titled(range(importing.BATCH + 1))
    first = importer.accept(content)

    def happens() -> None:
        raise NOT_READ

    with monkeypatch.context() as patched:
        while_reading(patched, happens, after=importing.BATCH)
        importer.run(first)
    assert importer.get(first).state is ImportState.FAILED
    assert counts(importer.get(first))[1] == importing.BATCH

    assert warned(importer, importer.accept(content)) == ["same_file"]
    assert warned(importer, importer.accept(ris({"TI": "Another"}))) == []
