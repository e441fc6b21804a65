"""A file's way into the review: counted, linked, and safe to be killed anywhere."""

import pytest

from service.domain.importing import Importer, counts, ris, titled, while_reading
from service.domain.tables import assert_in_step, events
from service.domain.threads import at_once
from tandem.errors import NotFound
from tandem.ranking import training
from tandem.records import batch, import_work, importing, imports, seeds
from tandem.records.formats.reading import Format
from tandem.records.models import ImportState
from tandem.reviews import service as reviews
from tandem.reviews import texts
from tandem.reviews.models import Review
from world import World

pytestmark = pytest.mark.both_engines


NBIB = b"""PMID- 11111111
TI  - Walking after surgery: a trial.
LID - 10.1234/walk.18 [doi]
DP  - 2018 Apr

PMID- 22222222
TI  - Swimming after surgery.
DP  - 2019

"""

CSV = b"""Title,Abstract,Year,DOI
Walking after surgery: a trial,People walked.,2018,https://doi.org/10.1234/WALK.18
Running after surgery,People ran.,2020,
"""


def links(importer: Importer) -> list[int | None]:
    return [record.duplicate_of for record in importer.records()]


class TestReading:
    @pytest.mark.parametrize(
        ("content", "format", "expected"),
        [(titled([1, 2, 3]), "ris", (3, 3, 0, 0)), (NBIB, "nbib", (2, 2, 0, 0))],
    )
    def test_a_file_is_read_whole(
        self, importer: Importer, content: bytes, format: str, expected: tuple[int, ...]
    ) -> None:
        row = importer.read(content)

        assert (row.state, row.format, row.error) == (ImportState.DONE, format, None)
        assert counts(row) == expected
        assert row.n_total == row.n_read
        assert row.finished_at
        assert [record.number for record in importer.records()] == list(range(1, row.n_added + 1))
        assert {record.import_id for record in importer.records()} == {row.id}
        assert {record.source for record in importer.records()} == {"Medline"}
        assert_in_step(importer.database, importer.review_id)

    def test_a_table_is_read_too(self, importer: Importer) -> None:
        row = importer.read(CSV)

        assert (row.format, counts(row)) == ("csv", (2, 2, 0, 0))
        walking, running = importer.records()
        assert (walking.title, walking.abstract, walking.year, walking.doi) == (
            "Walking after surgery: a trial",
            "People walked.",
            2018,
            "10.1234/walk.18",
        )
        assert running.doi is None

    def test_accepting_reads_nothing_yet(self, importer: Importer) -> None:
        row = importer.get(importer.accept(titled([1])))

        assert (row.state, counts(row), row.format) == (ImportState.QUEUED, (0, 0, 0, 0), None)
        assert importer.records() == []

    def test_it_ends_with_one_event_that_counts(self, importer: Importer) -> None:
        row = importer.read(ris({"TI": "One"}, {"AU": "Lee"}, {"TI": "Two"}))

        last = events(importer.database, importer.review_id)[-1]
        assert importer.events() == ["tandem.import.finished"]
        assert last.subject == str(row.id)
        assert last.data == {
            "import_id": str(row.id),
            "n_read": 3,
            "n_added": 2,
            "n_duplicates": 0,
            "n_rejected": 1,
        }

    def test_new_records_make_the_ranking_stale_and_only_they(self, importer: Importer) -> None:
        def seqs() -> tuple[int, int]:
            with importer.database.read() as session:
                review = session.get_one(Review, importer.review_id)
                return review.labels_seq, review.corpus_seq

        importer.read(NBIB)
        assert seqs() == (1, 1)
        with importer.database.read() as session:
            assert training.stale_reviews(session) == [importer.review_id]
        importer.read(NBIB)
        assert seqs() == (1, 1), "all of it was there already"

    def test_what_only_tells_more_of_known_records_matters_to_seed_studies(
        self, importer: Importer
    ) -> None:
        importer.read(NBIB)
        with importer.database.write.begin() as session:
            review = reviews.lock(session, importer.review_id)
            change = {"seed_studies": ["10.1234/swim.19"]}
            texts.change(session, review, change, by=review.created_by)
            before = review.labels_seq

        row = importer.read(NBIB.replace(b"DP  - 2019", b"LID - 10.1234/swim.19 [doi]"))

        assert (row.n_added, row.n_duplicates) == (0, 2)
        with importer.database.read() as session:
            stored = reviews.get_review(session, importer.review_id)
            assert seeds.find(session, stored.id, stored.seed_studies) == {"10.1234/swim.19": 2}
            assert stored.labels_seq == before + 1

    def test_a_finished_import_is_not_read_again(self, importer: Importer) -> None:
        row = importer.read(titled([1, 2]))

        assert importer.run(row.id) is None
        assert len(importer.records()) == 2

    def test_numbers_go_on_over_files(self, importer: Importer) -> None:
        importer.read(titled([1, 2]))
        importer.read(titled([3, 4]))

        assert [record.number for record in importer.records()] == [1, 2, 3, 4]

    def test_an_import_of_another_review_is_not_found(
        self, importer: Importer, world: World
    ) -> None:
        elsewhere = Importer(world, importer.artifacts)
        import_id = elsewhere.accept(NBIB)

        with pytest.raises(NotFound):
            importer.get(import_id)

    def test_the_newest_is_listed_first(self, importer: Importer) -> None:
        made = [importer.accept(titled([n])) for n in range(3)]

        with importer.database.read() as session:
            listed = imports.list_imports(session, review_id=importer.review_id, limit=2).items
        assert [row.id for row in listed] == [made[2], made[1]]


class TestLinking:
    def test_repeats_across_files_are_linked(self, importer: Importer) -> None:
        importer.read(NBIB)
        row = importer.read(CSV, source="Embase")

        assert counts(row) == (2, 1, 1, 0)
        # The second has an abstract: it is shown.
        assert links(importer) == [3, None, None, None]
        assert importer.events() == [
            "tandem.import.finished",
            "tandem.duplicates.merged",
            "tandem.duplicates.merged",
            "tandem.import.finished",
        ]
        linked, shown = events(importer.database, importer.review_id)[-3:-1]
        assert linked.data == {"record_id": "1", "duplicate_id": "3"}
        assert shown.data == {"record_id": "3", "duplicate_id": "1"}

    def test_repeats_inside_one_file_are_linked(self, importer: Importer) -> None:
        row = importer.read(
            ris(
                {"TI": "Walking after surgery", "DO": "10.1234/a"},
                {"TI": "Something else", "DO": "10.1234/b"},
                {"TI": "Walking after surgery.", "DO": "https://doi.org/10.1234/A"},
            )
        )

        assert counts(row) == (3, 2, 1, 0)
        assert links(importer) == [None, None, 1]

    def test_the_same_file_again_adds_nothing(self, importer: Importer) -> None:
        importer.read(NBIB)
        row = importer.read(NBIB)

        assert counts(row) == (2, 0, 2, 0)
        assert links(importer) == [None, None, 1, 2]

    def test_a_repeat_of_a_repeat_points_to_the_one_that_is_shown(self, importer: Importer) -> None:
        for _ in range(3):
            importer.read(NBIB)

        assert links(importer) == [None, None, 1, 2, 1, 2]

    def test_a_chain_of_identifiers_leads_to_the_one_that_is_shown(
        self, importer: Importer
    ) -> None:
        importer.read(ris({"TI": "Walking", "DO": "10.1234/a"}))
        importer.read(b"PMID- 5\nTI  - Walking\nLID - 10.1234/a [doi]\n\n")
        importer.read(b"PMID- 5\nTI  - Walking\n\n")

        assert links(importer) == [2, None, 2]

    def test_one_doi_of_different_works_links_nothing(self, importer: Importer) -> None:
        row = importer.read(
            ris(
                {"TI": "Walking after surgery", "DO": "10.1234/a"},
                {"TI": "Sleep", "DO": "10.1234/a"},
            )
        )

        assert counts(row) == (2, 2, 0, 0)

    def test_in_another_review_nothing_is_linked(self, importer: Importer, world: World) -> None:
        importer.read(NBIB)
        elsewhere = Importer(world, importer.artifacts)

        assert counts(elsewhere.read(NBIB)) == (2, 2, 0, 0)

    def test_two_files_at_once_link_to_each_other(self, importer: Importer) -> None:
        both = [importer.accept(NBIB), importer.accept(NBIB)]

        at_once([lambda import_id=import_id: importer.run(import_id) for import_id in both])  # type: ignore[misc]
        for import_id in both:  # the one that had to wait for the other
            importer.run(import_id)

        assert sum(importer.get(import_id).n_added for import_id in both) == 2
        assert sum(link is not None for link in links(importer)) == 2


class TestRejections:
    def test_they_are_listed_with_their_places(self, importer: Importer) -> None:
        row = importer.read(
            ris({"TI": "One"}, {"AU": "The first without"}, {"TI": "Three"}, {"AU": "Lee"})
        )

        assert counts(row) == (4, 2, 0, 2)
        assert [rejection["position"] for rejection in row.rejected] == [2, 4]
        for rejection in row.rejected:
            assert set(rejection) == {"position", "reason", "excerpt"}
            assert rejection["reason"]
        assert "The first without" in row.rejected[0]["excerpt"]

    def test_a_list_has_an_end_but_the_count_has_none(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batch, "_MOST_REJECTIONS_LISTED", 3)
        monkeypatch.setattr(importing, "BATCH", 2)
        row = importer.read(ris(*[{"AU": "Lee"}] * 7, {"TI": "Last"}))

        assert counts(row) == (8, 1, 0, 7)
        assert [rejection["position"] for rejection in row.rejected] == [1, 2, 3]

    def test_a_file_of_nothing_else_is_done_all_the_same(self, importer: Importer) -> None:
        row = importer.read(ris({"AU": "Lee"}, {"AU": "Lind"}))

        assert (row.state, counts(row)) == (ImportState.DONE, (2, 0, 0, 2))


class TestFailing:
    @pytest.mark.parametrize(
        ("content", "format", "says"),
        [
            pytest.param(
                b"Dear colleagues, see below.", None, "export the records as RIS", id="unknown"
            ),
            pytest.param(b"", None, "empty", id="empty"),
            pytest.param(b" \n\n ", "ris", "empty", id="blank"),
            pytest.param(b"%PDF-1.7\n" + bytes(range(256)), None, "PDF", id="binary"),
            pytest.param(bytes(range(256)) * 20, None, "", id="junk"),
            pytest.param(b"Title,Abstract\n", None, "no record", id="no records"),
            pytest.param(CSV, "ris", "RIS", id="not what it was said to be"),
        ],
    )
    def test_it_says_why_and_writes_nothing(
        self, importer: Importer, content: bytes, format: Format | None, says: str
    ) -> None:
        row = importer.read(content, format=format)

        assert (row.state, counts(row)) == (ImportState.FAILED, (0, 0, 0, 0))
        assert row.error
        assert says in row.error
        assert row.finished_at
        assert importer.records() == []
        assert importer.events() == ["tandem.import.failed"]
        failed = events(importer.database, importer.review_id)[-1]
        assert failed.data == {"import_id": str(row.id), "error": row.error}
        with importer.database.read() as session:
            assert training.stale_reviews(session) == []

    def test_a_failed_import_is_not_tried_again(self, importer: Importer) -> None:
        row = importer.read(b"")

        assert importer.run(row.id) is None
        with importer.database.read() as session:
            assert import_work.unfinished(session) == []

    def test_a_worker_that_was_overtaken_does_not_fail_the_other_ones_import(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(4)))

        def overtake() -> None:
            importer.let_the_lease_run_out(import_id)
            assert importer.run(import_id) == importer.review_id
            raise importing.NoRecords("too late to say so")

        while_reading(monkeypatch, overtake)

        assert importer.run(import_id) is None
        assert importer.get(import_id).state is ImportState.DONE
        assert importer.events() == ["tandem.import.finished"]
