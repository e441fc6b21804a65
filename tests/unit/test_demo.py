import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbib
import numpy as np
import pytest
import rispy
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from tandem.demo.corpus import FIRST_PMID, SOURCES, Corpus, Record, corpus, folded
from tandem.demo.exports import Export, write_exports, write_labelled
from tandem.demo.texts import NOTICE

DIGEST_IN_ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from tandem.demo.corpus import corpus
from tandem.demo.exports import write_exports
for export in write_exports(corpus(), Path(sys.argv[1])):
    print(hashlib.sha256(export.path.read_bytes()).hexdigest())
"""


@dataclass(frozen=True)
class Row:
    """One reference as an importer finds it in a file."""

    title: str
    abstract: str
    doi: str
    pmid: str


@pytest.fixture(scope="module")
def demo() -> Corpus:
    return corpus()


@pytest.fixture(scope="module")
def exports(demo: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    folder = tmp_path_factory.mktemp("demo")
    return {export.source: export for export in write_exports(demo, folder)}


@pytest.fixture(scope="module")
def rows(exports: dict[str, Export]) -> dict[str, list[Row]]:
    return {
        "Medline": [
            Row(r["title"], r.get("abstract", ""), r.get("doi", ""), str(r["pubmed_id"]))
            for r in nbib.read(text_of(exports["Medline"]))
        ],
        "CINAHL": [
            Row(r["title"], r.get("abstract", ""), r.get("doi", ""), "")
            for r in rispy.loads(text_of(exports["CINAHL"]))
        ],
        "Scopus": [
            Row(
                r["Title"],
                r["Abstract"].replace("[No abstract available]", ""),
                r["DOI"],
                r["PubMed ID"],
            )
            for r in csv.DictReader(io.StringIO(text_of(exports["Scopus"])))
        ],
    }


def text_of(export: Export) -> str:
    return export.path.read_bytes().decode("utf-8-sig")


def abstracts(records: tuple[Record, ...]) -> list[str]:
    return [record.abstract for record in records if record.sections]


def groups(linked: list[Row]) -> int:
    """Count what is left when rows that share a DOI or a PMID are one."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            key = parent[key]
        return key

    for i, row in enumerate(linked):
        for key in (f"doi {row.doi}", f"pmid {row.pmid}"):
            if not key.endswith(" "):
                parent[root(key)] = root(f"row {i}")
    return len({root(f"row {i}") for i in range(len(linked))})


def test_the_corpus_has_the_promised_size(demo: Corpus) -> None:
    counts = Counter(source for record in demo.records for source in record.sources)

    assert len(demo.records) == 1528
    assert sum(record.relevant for record in demo.records) == 34
    assert counts == {"Medline": 800, "CINAHL": 520, "Scopus": 760}
    assert sum(not record.sections for record in demo.records) == 61
    assert sum(record.doi is None for record in demo.records) == 122
    assert "peer support workers" in demo.question
    assert demo.criteria["include"]
    assert demo.criteria["exclude"]


def test_no_two_titles_are_equal(demo: Corpus) -> None:
    assert len({folded(record.title) for record in demo.records}) == 1528


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_gives_another_corpus_of_the_same_size(demo: Corpus, seed: int) -> None:
    other = corpus(seed)

    assert [len(other.records), sum(r.relevant for r in other.records)] == [1528, 34]
    assert [r.title for r in other.records] != [r.title for r in demo.records]


def test_every_record_says_that_it_is_synthetic(demo: Corpus) -> None:
    assert all(text.count(NOTICE) == 1 for text in abstracts(demo.records))
    assert all(record.journal.endswith("(synthetic)") for record in demo.records)
    assert all(r.doi.startswith("10.5555/") for r in demo.records if r.doi is not None)
    assert all(int(r.pmid) >= FIRST_PMID for r in demo.records if r.pmid is not None)


def test_abstracts_have_the_length_of_real_ones_and_no_open_slots(demo: Corpus) -> None:
    texts = abstracts(demo.records)

    assert all(120 <= len(text.split()) <= 255 for text in texts)
    assert not [t for t in texts if "{" in t or "  " in t or ".." in t]
    assert not [r.title for r in demo.records if "{" in r.title or "  " in r.title]
    assert all(r.title.lstrip("'")[0].isupper() for r in demo.records)


def test_no_record_is_nearly_a_copy_of_another(demo: Corpus) -> None:
    features = TfidfVectorizer(max_df=0.95).fit_transform(abstracts(demo.records))
    similarity = (features @ features.T).toarray()
    np.fill_diagonal(similarity, 0)

    assert similarity.max() < 0.9


def test_the_files_are_the_same_in_every_process(
    exports: dict[str, Export], tmp_path: Path
) -> None:
    here = [digest(export) for export in exports.values()]
    again = [digest(export) for export in write_exports(corpus(), tmp_path / "again")]
    elsewhere = subprocess.run(
        [sys.executable, "-c", DIGEST_IN_ANOTHER_PROCESS, str(tmp_path / "elsewhere")],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert again == here
    assert elsewhere.stdout.split() == here


def digest(export: Export) -> str:
    return hashlib.sha256(export.path.read_bytes()).hexdigest()


def test_every_file_has_the_stated_number_of_rows(
    exports: dict[str, Export], rows: dict[str, list[Row]]
) -> None:
    assert tuple(exports) == SOURCES
    assert {source: len(rows[source]) for source in SOURCES} == {
        source: export.n for source, export in exports.items()
    }
    assert [export.path.name for export in exports.values()] == [
        "medline.nbib",
        "cinahl.ris",
        "scopus.csv",
    ]


def test_linking_equal_dois_and_pmids_leaves_the_distinct_records(
    rows: dict[str, list[Row]],
) -> None:
    together = [row for source in SOURCES for row in rows[source]]

    assert len(together) == 2080
    assert groups(together) == 1528


def test_no_file_repeats_an_identifier(rows: dict[str, list[Row]]) -> None:
    assert {source: groups(found) for source, found in rows.items()} == {
        source: len(found) for source, found in rows.items()
    }


@pytest.mark.parametrize("source", SOURCES)
def test_titles_and_abstracts_survive_each_format(
    demo: Corpus, rows: dict[str, list[Row]], source: str
) -> None:
    written = {folded(r.title): r for r in demo.records if source in r.sources}

    assert {folded(row.title) for row in rows[source]} == set(written)
    for row in rows[source]:
        record = written[folded(row.title)]
        assert folded(row.abstract.split(" © ")[0]) == folded(record.abstract)
        assert row.doi == (record.doi or "")


def test_sources_print_the_same_record_differently(
    demo: Corpus, rows: dict[str, list[Row]]
) -> None:
    everywhere = {folded(r.title) for r in demo.records if r.sources == SOURCES}
    printed = {source: {folded(row.title): row.title for row in rows[source]} for source in SOURCES}

    assert len(everywhere) == 110
    assert all(len({printed[s][title] for s in SOURCES}) > 1 for title in everywhere)


def test_formats_carry_what_the_databases_carry(exports: dict[str, Export]) -> None:
    medline: list[dict[str, Any]] = nbib.read(text_of(exports["Medline"]))
    cinahl = rispy.loads(text_of(exports["CINAHL"]))
    scopus = list(csv.DictReader(io.StringIO(text_of(exports["Scopus"]))))

    assert all(r["authors"] and r["journal"] and r["publication_date"] for r in medline)
    assert {r["name_of_database"] for r in cinahl} == {"CINAHL"}
    assert len({r["accession_number"] for r in cinahl}) == 520
    assert len({r["EID"] for r in scopus}) == 760
    assert all(r["Authors"] and r["Source title"] and r["Page end"] for r in scopus)


def test_labelled_table_has_every_record_once(demo: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    write_labelled(demo, path)
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))

    assert list(table[0]) == [
        "record_id",
        "title",
        "abstract",
        "authors",
        "year",
        "doi",
        "keywords",
        "label_included",
    ]
    assert [r["title"] for r in table] == [r.title for r in demo.records]
    assert Counter(r["label_included"] for r in table) == {"1": 34, "0": 1494}


def test_ranking_finds_all_relevant_records_early_but_not_at_once(demo: Corpus) -> None:
    for first_relevant, first_irrelevant in ((0, 0), (12, 700), (30, 400)):
        found = list(simulated(demo, first_relevant, first_irrelevant))

        assert len(found) == 33
        assert 40 <= found[-1] <= 400
        assert found[-1] <= 0.2 * 1526


def simulated(demo: Corpus, first_relevant: int, first_irrelevant: int) -> Iterator[int]:
    """Yield how many records had been read when each relevant one came up."""
    texts = [f"{record.title} {record.abstract}" for record in demo.records]
    labels: NDArray[np.int8] = np.array([record.relevant for record in demo.records], np.int8)
    features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95).fit_transform(
        texts
    )
    seen = [
        int(np.flatnonzero(labels == 1)[first_relevant]),
        int(np.flatnonzero(labels == 0)[first_irrelevant]),
    ]
    while labels[seen].sum() < labels.sum():
        known = labels[seen]
        # All positives together weigh 9.8 times all negatives, and the mean weight is 1.
        weights = np.where(known == 1, 1.0, known.sum() / (9.8 * (known == 0).sum()))
        model = LinearSVC(C=0.11, loss="squared_hinge")
        model.fit(features[seen], known, sample_weight=weights / weights.mean())
        scores = model.decision_function(features)
        scores[seen] = -np.inf
        seen.append(int(np.argmax(scores)))
        if labels[seen[-1]]:
            yield len(seen) - 2


def test_criteria_can_be_stored_as_json(demo: Corpus) -> None:
    assert json.loads(json.dumps(demo.criteria)) == demo.criteria
