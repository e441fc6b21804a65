"""Takes files into a review and reads them, as the API and a worker do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select, update

from service.domain.tables import events
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.ids import ImportId, ReviewId
from tandem.records import importing, imports
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format, Reading
from tandem.records.formats.reading import read as really_read
from tandem.records.importing import Rest
from tandem.records.models import Import, Record
from tandem.screening.duplicates import deduplication
from world import Person, World


def ris(*entries: dict[str, str]) -> bytes:
    """Write entries as RIS; one with neither title nor abstract is rejected."""
    lines = [
        "TY  - JOUR\n" + "".join(f"{tag}  - {value}\n" for tag, value in entry.items())
        for entry in entries
    ]
    return "ER  - \n\n".join([*lines, ""]).encode()


def titled(numbers: Iterable[int]) -> bytes:
    return ris(*({"TI": f"Study number {n}", "AB": "Text."} for n in numbers))


class Importer:
    """Takes files and reads them, as the API and a worker do."""

    def __init__(self, world: World, artifacts: Artifacts) -> None:
        self.database, self.artifacts = world.database, artifacts
        self.owner: Person = world.person("owner")
        self.review_id: ReviewId = world.review(self.owner)

    def accept(self, content: bytes, *, format: Format | None = None, **said: Any) -> ImportId:
        upload = imports.store_upload(
            self.artifacts, review_id=self.review_id, file=BytesIO(content)
        )
        with self.database.write.begin() as session:
            return imports.accept(
                session,
                upload,
                review_id=self.review_id,
                user_id=self.owner.id,
                filename=said.get("filename", "export.txt"),
                source=said.get("source", "Medline"),
                requested_format=format,
            ).id

    def run(self, import_id: ImportId, **turn: Any) -> ReviewId | Rest | None:
        return importing.run(
            self.database, self.artifacts, import_id, link=deduplication.run, **turn
        )

    def read(self, content: bytes, **said: Any) -> Import:
        import_id = self.accept(content, **said)
        assert self.run(import_id) == self.review_id
        return self.get(import_id)

    def get(self, import_id: ImportId) -> Import:
        with self.database.read() as session:
            return imports.get_import(session, review_id=self.review_id, import_id=import_id)

    def records(self) -> Sequence[Record]:
        query = select(Record).where(Record.review_id == self.review_id).order_by(Record.number)
        with self.database.read() as session:
            return session.scalars(query).all()

    def events(self) -> list[str]:
        return [event.type for event in events(self.database, self.review_id)][2:]

    def let_the_lease_run_out(self, import_id: ImportId) -> None:
        past = now() - timedelta(seconds=1)
        with self.database.write.begin() as session:
            session.execute(
                update(Import)
                .where(Import.id == import_id)
                .values(lease_until=past, not_before=past)
            )


def while_reading(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], *, after: int = 0
) -> None:
    """Let something happen once, when the next worker has read `after` of its entries."""
    to_come = [happens]

    def slowly(reading: Reading) -> Iterator[Entry | Rejection]:
        for position, item in enumerate(reading.entries):
            if to_come and position == after:
                to_come.pop()()
            yield item

    def read(data: bytes, format: Format | None) -> Reading:
        reading = really_read(data, format)
        return replace(reading, entries=slowly(reading))

    monkeypatch.setattr("tandem.records.importing.read", read)


def counts(row: Import) -> tuple[int, int, int, int]:
    """Return read, added, duplicates, rejected, having checked that they add up."""
    assert row.n_read == row.n_added + row.n_duplicates + row.n_rejected
    return row.n_read, row.n_added, row.n_duplicates, row.n_rejected
