"""A project of REFI-QDA: what it holds keeps to the schema, whatever is written in a record."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import refi
from tandem.handover import qde
from tandem.handover.archive import Entry, zipped
from tandem.handover.model import HandedStudy, Handover, IncludedReport, Person, ReportFile
from tandem.ids import RecordNumber, ReviewId, TextFileId, TextId, UserId
from tandem.texts.kinds import MediaType
from tandem.texts.models import TextKind
from unit.records.export.exported import FULL

AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ANN = Person(UserId(UUID(int=1)), "Ann \U0001f9e0 & <Lee>")
OTHER_ANN = Person(UserId(UUID(int=2)), ANN.name)


def report(number: int, *files: ReportFile) -> IncludedReport:
    record = replace(FULL, id=str(number), title=f"T{number} \U0001d4ab\r\n\x0b", abstract="a\r\nb")
    return IncludedReport(RecordNumber(number), record, number, files, [4, 5])


def file(number: int, kind: TextKind = TextKind.MAIN) -> ReportFile:
    return ReportFile(
        id=TextId(UUID(int=number)),
        file_id=TextFileId(UUID(int=number)),
        kind=kind,
        media_type=MediaType.PDF,
        artifact="none",
        sha256="0" * 64,
        has_plain=True,
        added_at=AT,
        added_by=ANN.id,
    )


def handed(*reports: IncludedReport) -> Handover:
    studies = [HandedStudy(f"S{r.number}", f"s{r.number}", "One", [r.number], {}) for r in reports]
    review = ReviewId(UUID(int=9))
    return Handover(review, "Peers\n\x00", 7, AT, [ANN, OTHER_ANN], reports, [], studies)


def packed(handover: Handover) -> bytes:
    made = qde.project(handover, texts=True)
    entries = [Entry("project.qde", [made.qde])]
    for one in made.files:
        text = one.content or f"text of {one.name} \U0001f9e0\n"
        entries.append(Entry(f"Sources/{one.name}", [text.encode()]))
    return b"".join(zipped(entries))


def test_two_hundred_sources() -> None:
    some = handed(*(report(n, *([file(n)] if n % 2 else [])) for n in range(1, 201)))

    found = refi.read(packed(some))

    assert len(found.all("PDFSource")) == len(found.all("TextSource")) == 100
    assert len(found.all("Case")) == 200
    assert packed(some) == packed(some)


def test_files_of_one_kind_and_people_of_one_name_get_different_names() -> None:
    kinds = (TextKind.MAIN, TextKind.MAIN, TextKind.SUPPLEMENT, TextKind.SUPPLEMENT)
    files = [file(10 + n, kind) for n, kind in enumerate(kinds)]

    found = refi.read(packed(handed(report(1, *files))))

    assert len({one.get("name") for one in found.all("PDFSource")}) == 4
    assert [one.get("name") for one in found.all("User")] == [ANN.name, f"{ANN.name} (2)"]


def test_positions_count_code_points_of_what_stands_in_the_file() -> None:
    found = refi.read(packed(handed(report(1))))
    (source,) = found.all("TextSource")
    text = found.texts[str(source.get("guid"))]
    assert text[3] == "\U0001d4ab"
    assert text.endswith("a\nb\n")


def test_a_thing_keeps_its_guid_when_others_come() -> None:
    before = {one.get("guid") for one in refi.read(packed(handed(report(5)))).all("TextSource")}
    after = refi.read(packed(handed(report(2), report(5)))).all("TextSource")
    assert before < {one.get("guid") for one in after}
