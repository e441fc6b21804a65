from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from mmap import mmap
from pathlib import Path

import numpy as np
import pytest

from tandem.ranking import word_vectors
from tandem.ranking.features import Features, build, feature_key, load, save
from tandem.ranking.recipes import recipe

WORDS = recipe("elas-u4").words
TITLED = replace(WORDS, title=0.25)
TEXTS = [
    ("Statins after stroke", "A randomised trial of statins in adults."),
    ("Yoga for back pain", "A randomised trial of yoga in adults."),
    ("Stroke and statins", ""),
    ("", ""),
]


def same(left: Features, right: Features) -> bool:
    pairs = [
        (left.matrix.data, right.matrix.data),
        (left.matrix.indices, right.matrix.indices),
        (left.matrix.indptr, right.matrix.indptr),
        (left.similarity, right.similarity),
    ]
    return left.matrix.shape == right.matrix.shape and all(
        np.array_equal(one, other) for one, other in pairs
    )


def is_mapped(array: object) -> bool:
    while array is not None and not isinstance(array, mmap):
        array = getattr(array, "base", None)
    return array is not None


def test_rows_have_length_one_or_none() -> None:
    matrix = build(TEXTS, WORDS).matrix
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    np.testing.assert_allclose(lengths, [1, 1, 1, 0])
    assert matrix.dtype == np.float64


def test_single_floats_are_the_double_ones_rounded_at_the_end() -> None:
    double, single = (
        build(TEXTS, replace(WORDS, title=0.3, double=is_double), query="yoga for pain")
        for is_double in (True, False)
    )
    assert single.matrix.dtype == np.float32
    np.testing.assert_array_equal(single.matrix.data, double.matrix.data.astype(np.float32))
    np.testing.assert_array_equal(single.matrix.indices, double.matrix.indices)
    np.testing.assert_allclose(single.similarity, double.similarity, atol=1e-7)


def test_likeness_to_the_query_is_a_cosine() -> None:
    whole = build(TEXTS, WORDS, query=" ".join(TEXTS[0])).similarity
    assert whole[0] == pytest.approx(1)
    assert 0 < whole[1] < 1

    few = build(TEXTS, WORDS, query="yoga for pain").similarity
    assert few.argmax() == 1
    assert few[[0, 2, 3]].tolist() == [0, 0, 0]


def test_the_query_adds_no_terms_and_changes_no_weights() -> None:
    asked = build(TEXTS, WORDS, query="statins homeopathy crystals")
    np.testing.assert_array_equal(asked.matrix.toarray(), build(TEXTS, WORDS).matrix.toarray())


@pytest.mark.parametrize("query", ["", "?", "homeopathy"])
def test_a_query_without_a_known_term_is_like_nothing(query: str) -> None:
    assert not build(TEXTS, WORDS, query=query).similarity.any()


@pytest.mark.parametrize(
    "texts",
    [[], [("", "")], [("", "")] * 3, [("Only", "one record")], [("Same", "text")] * 3],
    ids=["no records", "one empty", "all empty", "a single one", "all the same"],
)
def test_where_no_term_is_left_there_are_no_columns(
    texts: list[tuple[str, str]], tmp_path: Path
) -> None:
    features = build(texts, WORDS, query="record")
    assert features.matrix.shape == (len(texts), 0)
    assert features.similarity.tolist() == [0.0] * len(texts)

    save(features, tmp_path / "features")
    assert same(load(tmp_path / "features"), features)


def test_a_bad_recipe_is_not_taken_for_an_empty_vocabulary() -> None:
    with pytest.raises(ValueError, match="min_df"):
        build(TEXTS, replace(WORDS, min_df=-1))


def test_the_key_follows_what_features_are_made_of_and_nothing_else() -> None:
    others = [
        replace(WORDS, ngram_range=(1, 1)),
        replace(WORDS, sublinear_tf=False),
        replace(WORDS, min_df=2),
        replace(WORDS, max_df=0.5),
        replace(WORDS, title=0.1),
        replace(WORDS, vectors=word_vectors.MODEL),
    ]
    assert feature_key(replace(WORDS)) == feature_key(WORDS)
    assert len({feature_key(each) for each in [WORDS, *others]}) == 7


def test_the_key_is_the_same_in_every_release() -> None:
    assert feature_key(WORDS) == "1ff5b4fd19102ce8"


def test_the_terms_of_titles_follow_with_their_weight() -> None:
    plain, titled = build(TEXTS, WORDS), build(TEXTS, TITLED)
    n_terms = plain.matrix.shape[1]
    assert (titled.matrix[:, :n_terms] != plain.matrix).nnz == 0
    lengths = np.sqrt(titled.matrix[:, n_terms:].power(2).sum(axis=1)).A1
    np.testing.assert_allclose(lengths, [TITLED.title] * 3 + [0])
    titles = {titled.terms[column] for column in titled.matrix[2, n_terms:].indices + n_terms}
    assert titles == {"stroke", "statins", "and", "stroke and", "and statins"}


def test_every_column_has_its_term_also_after_loading(tmp_path: Path) -> None:
    save(build([("Größe", "日本語"), ("x ray", "zinc")], WORDS), tmp_path / "features")
    loaded = load(tmp_path / "features")
    assert [loaded.terms[column] for column in range(loaded.matrix.shape[1])] == [
        "größe",
        "größe 日本語",
        "ray",
        "ray zinc",
        "zinc",
        "日本語",
    ]


def test_loaded_features_are_those_saved_mapped_and_not_to_be_written(tmp_path: Path) -> None:
    made = build(TEXTS, WORDS, query="statins")
    save(made, tmp_path / "deep" / "features")

    loaded = load(tmp_path / "deep" / "features")

    assert same(loaded, made)
    for array in (loaded.matrix.data, loaded.matrix.indices, loaded.matrix.indptr):
        assert is_mapped(array)
        assert not array.flags.writeable


def test_saving_again_replaces_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    save(build(TEXTS, WORDS), folder)
    before = load(folder)
    rest = build(TEXTS[:2], WORDS)

    save(rest, folder)

    assert same(load(folder), rest)
    assert same(before, build(TEXTS, WORDS)), "a process that had mapped the old ones keeps them"
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


def test_a_save_that_fails_leaves_the_old_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = tmp_path / "features", build(TEXTS, WORDS)
    save(made, folder)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space"):
        save(build(TEXTS[:2], WORDS), folder)

    assert same(load(folder), made)
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


def test_simultaneous_savers_all_succeed(tmp_path: Path) -> None:
    folder, made = tmp_path / "features", build(TEXTS, WORDS)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: save(made, folder), range(40)))

    assert same(load(folder), made)
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


def test_loading_what_was_never_saved_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["word_vectors", "terms", "data"])
def test_a_file_that_is_missing_is_not_taken_for_an_empty_one(tmp_path: Path, name: str) -> None:
    save(build(TEXTS, TITLED), tmp_path / "features")
    (tmp_path / "features" / f"{name}.npy").unlink()
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "features")


def test_what_is_made_in_a_folder_is_what_is_made_in_memory(tmp_path: Path) -> None:
    in_memory = build(TEXTS, TITLED, query="yoga for pain")
    made = build(TEXTS, TITLED, query="yoga for pain", folder=tmp_path)
    assert same(made, in_memory)

    save(made, tmp_path / "features", tmp_path)
    assert same(load(tmp_path / "features"), in_memory)
    assert [path.name for path in tmp_path.iterdir()] == ["features"]
