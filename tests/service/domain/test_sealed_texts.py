"""A changed text or time is found and named; what was corrected or imported by the rules holds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, text

from service.domain.importing import Importer, ris, titled
from service.domain.test_migrations import alembic
from service.domain.test_migrations import migrated_url as migrated_url
from tandem.artifacts import Artifacts
from tandem.audit import trail
from tandem.audit.checked import Checked
from tandem.audit.differences import At
from tandem.audit.verify import check
from tandem.cli import main
from tandem.db.session import Database
from tandem.ids import RecordNumber
from tandem.records import corrections, judged_text
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from world import World

TA = Stage.TITLE_ABSTRACT
MADE_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def importer(world: World, tmp_path: Path) -> Importer:
    """Two files of three records; 1 and 2 are decided, 3 is corrected, 5 is linked to 4."""
    importer = Importer(world, Artifacts(str(tmp_path / "artifacts")))
    importer.read(titled(range(1, 4)))
    importer.read(titled(range(11, 14)))
    r, owner = importer.review_id, importer.owner
    world.decide(r, owner, 1, "include", made_at=MADE_AT)
    world.decide(r, owner, 2, "include")
    world.decide(r, owner, 2, "exclude")
    correct(world, importer, 3, title="A corrected title", year=2001)
    world.merge(r, owner, 4, 5)
    return importer


def correct(world: World, importer: Importer, number: int, **changes: Any) -> None:
    with world.entered(importer.review_id, importer.owner) as (session, review, _):
        corrections.correct(
            session, review, number=RecordNumber(number), changes=changes, by=importer.owner.id
        )


def exported(importer: Importer) -> list[str]:
    return list(
        trail.lines(importer.database, review_id=importer.review_id, user_id=importer.owner.id)
    )


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount


@pytest.mark.both_engines
def test_what_nobody_changed_holds(world: World, importer: Importer) -> None:
    found = check(exported(importer))

    assert found.difference is None
    assert (found.n_texts, found.n_texts_open, found.texts_since) == (6, 0, None)
    # To correct it once more, and back to how it came, changes nothing of that.
    correct(world, importer, 3, title="Study number 3")
    correct(world, importer, 5, abstract="Another text.")
    assert check(exported(importer)).difference is None


_DECIDED = "UPDATE decision SET {} WHERE record_number = {}"


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("UPDATE record SET title = 'Another title' WHERE number = 2", "2"),
        ("UPDATE record SET abstract = 'Text!' WHERE number = 6", "6"),
        ("UPDATE record SET abstract = '' WHERE number = 5", "5"),
        ("UPDATE record SET title = 'Study number 3' WHERE number = 3", "3"),
        ("UPDATE record SET authors = '[\"Lee, Ann\"]' WHERE number = 1", "1"),
        ("UPDATE record SET year = 1999 WHERE number = 1", "1"),
        ("UPDATE record SET text_digest = import_digest.d FROM"
         " (SELECT text_digest AS d FROM record WHERE number = 1) AS import_digest"
         " WHERE number = 2", "2"),
        (_DECIDED.format("created_at = '2020-01-01 00:00:00'", 1), "1"),
        (_DECIDED.format("made_at = '2026-11-19 08:00:00'", 1), "1"),
        (_DECIDED.format("made_at = NULL", 1), "1"),
        (_DECIDED.format("made_at = created_at", "2 AND verdict = 'exclude'"), "2"),
        (_DECIDED.format("created_at = '2020-01-01 00:00:00'", "2 AND verdict = 'include'"), "2"),
    ],
)  # fmt: skip
@pytest.mark.both_engines
def test_the_record_is_named_whose_text_or_time_was_changed(
    statement: str, record: str, importer: Importer
) -> None:
    execute(importer.database.engine, statement)

    difference = check(exported(importer)).difference

    assert difference is not None
    assert difference.at == At(TA, record)


def test_who_changes_a_text_and_its_digest_too_is_found_by_the_import(importer: Importer) -> None:
    with importer.database.write.begin() as session:
        row = session.get_one(Record, (importer.review_id, 2))
        row.title = "Another title"
        shown = {name: getattr(row, name) for name in judged_text.FIELDS}
        row.text_digest = judged_text.digest(shown)
        import_id = row.import_id

    difference = check(exported(importer)).difference

    assert difference is not None
    assert str(import_id) in difference.says


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET text_digest = NULL WHERE number = 2",
        "UPDATE record SET import_id = (SELECT import_id FROM record WHERE number = 6)"
        " WHERE number = 2",
    ],
)
def test_a_seal_cannot_be_taken_off(statement: str, importer: Importer) -> None:
    execute(importer.database.engine, statement)

    assert not check(exported(importer)).ok


def test_a_file_without_lines_about_texts_or_times_does_not_hold(importer: Importer) -> None:
    lines = [json.loads(line) for line in exported(importer)]
    without = [line for line in lines if "texts_of" not in line]
    untimed = [line | {"times": None} if "ledger" in line else line for line in lines]
    twice = [copy for line in lines for copy in [line] * (1 + ("texts_of" in line))]

    for some in (without, untimed, twice):
        assert not check(json.dumps(line) for line in some).ok


def test_what_was_read_of_a_file_that_failed_is_sealed(world: World, tmp_path: Path) -> None:
    importer = Importer(world, Artifacts(str(tmp_path / "artifacts")))
    importer.read(ris({"TI": "One"}, {"N1": "neither title nor abstract"}, {"AB": "Two"}))
    importer.read(b"")  # it fails: there is no record in it
    found = check(exported(importer))
    assert (found.difference, found.n_texts, found.n_texts_open) == (None, 2, 0)

    execute(importer.database.engine, "UPDATE record SET abstract = 'Three' WHERE number = 2")

    assert not check(exported(importer)).ok


def test_texts_of_an_import_that_runs_are_not_sealed_yet(world: World) -> None:
    team = world.team(n_records=2)  # no entry tells of its import
    lines = trail.lines(world.database, review_id=team.review_id, user_id=team.owner.id)

    found = check(lines)

    assert (found.difference, found.n_texts, found.n_texts_open) == (None, 0, 2)


def test_the_command_names_the_record_and_needs_no_database(
    importer: Importer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trail.jsonl"
    file.write_text("".join(exported(importer)), encoding="utf-8")
    assert main.main(["verify", str(file)]) == 0
    assert "  texts                        6" in capsys.readouterr().out

    execute(importer.database.engine, "UPDATE record SET title = 'Another' WHERE number = 2")
    file.write_text("".join(exported(importer)), encoding="utf-8")
    assert main.main(["verify", str(file)]) == 1
    assert "record 2 (title_abstract)" in capsys.readouterr().err


class TestTrailsFromBefore:
    """An installation of before, whose upgrade seals what is there once."""

    @pytest.fixture
    def database(self, migrated_url: str) -> Iterator[Database]:
        opened = Database(migrated_url)
        yield opened
        opened.close()

    @pytest.fixture
    def old(self, importer: Importer, migrated_url: str) -> Importer:
        """The importer's review after the upgrade, as if its entries had sealed neither."""
        importer.database.close()
        command.downgrade(alembic(migrated_url), "0006")
        command.upgrade(alembic(migrated_url), "head")
        return importer

    def test_they_hold_and_say_since_when(self, old: Importer, world: World) -> None:
        before = check(exported(old))
        world.decide(old.review_id, old.owner, 6, "include")
        correct(world, old, 6, title="Corrected since")
        old.read(titled([21]))
        found = check(exported(old))

        assert (before.difference, found.difference) == (None, None)
        assert before.texts_since == before.n_entries == found.texts_since
        assert (before.n_texts, found.n_texts, found.n_texts_open) == (6, 7, 0)

    @pytest.mark.parametrize(
        ("statement", "record"),
        [
            ("UPDATE record SET abstract = 'x' WHERE number = 3", "3"),
            (_DECIDED.format("created_at = '2020-01-01 00:00:00'", 1), "1"),
        ],
    )
    def test_what_is_changed_since_is_found(
        self, statement: str, record: str, old: Importer
    ) -> None:
        execute(old.database.engine, statement)

        difference = check(exported(old)).difference

        assert difference is not None
        assert difference.at == At(TA, record)

    def test_a_file_of_the_first_form_is_read(self, importer: Importer) -> None:
        lines = [json.loads(line) for line in exported(importer)]

        found: Checked = check(json.dumps(line) for line in _of_the_first_form(lines))

        assert found.difference is None
        assert (found.n_texts, found.texts_since) == (0, None)


def _of_the_first_form(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Write a trail as it was before texts and times were sealed, with a chain of its own."""
    from service.domain.trails import chained

    bare = []
    for line in lines:
        if "texts_of" in line:
            continue
        line.pop("times", None)
        for name in ("texts", "text", "decided_at", "made_at") if "seq" in line else ():
            line["detail"].pop(name, None)
        bare.append(line)
    bare[0]["trail"] = 1
    yield from chained(bare)
