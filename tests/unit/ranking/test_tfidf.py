"""Our counting against scikit-learn's: the last bit counts, since it decides near-ties."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.feature_extraction.text import TfidfVectorizer

from tandem.ranking import features, tfidf
from tandem.ranking.parameters import Words
from tandem.ranking.recipes import recipe
from tandem.ranking.tfidf import Tfidf
from tandem.ranking.word_runs import Texts

U4 = recipe("elas-u4").words
OURS = replace(recipe("tandem-1").words, vectors=None)
WORDS = [
    "a",
    "ab",
    "abc",
    "x1",
    "a_b",
    "größe",
    "GRÖSSE",
    "İzmir",
    "ﬁbre",
    "日本語",
    "don't",
    "0.05",
]
RECIPES = [
    U4,
    replace(U4, ngram_range=(1, 1), min_df=2),
    replace(U4, ngram_range=(2, 2), sublinear_tf=False),
    replace(U4, ngram_range=(1, 3), max_df=0.4),
    replace(U4, ngram_range=(2, 3), min_df=2, max_df=1.0),
]


def vectorizer(words: Words) -> TfidfVectorizer:
    return TfidfVectorizer(
        ngram_range=words.ngram_range,
        sublinear_tf=words.sublinear_tf,
        min_df=words.min_df,
        max_df=words.max_df,
    )


def made_up(n: int, *, length: int = 60, seed: int = 1) -> list[str]:
    """Texts of words that are as unevenly common as in any language."""
    random = np.random.RandomState(seed)
    return [
        " ".join(f"{WORDS[rank % 12]}{rank // 12}" for rank in random.zipf(1.3, length) % 5000)
        for _ in range(n)
    ]


def assert_same(ours: csr_matrix, theirs: csr_matrix) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours.indptr, theirs.indptr)
    np.testing.assert_array_equal(ours.indices, theirs.indices)
    np.testing.assert_array_equal(ours.data, theirs.data)


def assert_as_scikit_learn(texts: Sequence[str], words: Words, query: str) -> None:
    ours, theirs = Tfidf(Texts(texts, words.ngram_range), words), vectorizer(words)
    try:
        matrix = theirs.fit_transform(texts)
    except ValueError:
        assert ours.n_terms == 0
        return
    assert_same(vstack([*ours.parts()], format="csr"), matrix)
    assert ours.n_entries == matrix.nnz
    terms = ours.terms()
    assert [
        terms[column] for column in range(len(terms))
    ] == theirs.get_feature_names_out().tolist()
    asked = theirs.transform([query]).toarray().ravel()
    np.testing.assert_array_equal(ours.vector(query), asked)


@pytest.mark.parametrize("words", RECIPES, ids=str)
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=8),
    query=st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=6).map(" ".join),
)
def test_any_texts(words: Words, texts: list[str], query: str) -> None:
    assert_as_scikit_learn(texts, words, query)


@given(texts=st.lists(st.text(max_size=30), max_size=6), query=st.text(max_size=10))
def test_any_characters(texts: list[str], query: str) -> None:
    assert_as_scikit_learn(texts, U4, query)


@pytest.mark.parametrize("words", RECIPES, ids=str)
def test_more_texts_than_are_counted_at_once(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "_AT_ONCE", 7)
    monkeypatch.setattr(tfidf, "_RUNS_AT_ONCE", 100)
    texts = made_up(100)
    assert_as_scikit_learn(texts, words, f"{texts[3]} unknown {texts[50]}")


def test_titles_beside_the_whole() -> None:
    titles, abstracts = made_up(50, length=8, seed=2), made_up(50)
    built = features.build([*zip(titles, abstracts, strict=True)], OURS)
    whole = [f"{title} {abstract}" for title, abstract in zip(titles, abstracts, strict=True)]
    both = [vectorizer(OURS).fit_transform(whole), 0.25 * vectorizer(OURS).fit_transform(titles)]
    assert_same(built.matrix, hstack(both, format="csr"))


@given(numbers=st.lists(st.one_of(st.integers(0, 5), st.integers(2**62, 2**63 - 1))))
def test_numbers_in_order(numbers: list[int]) -> None:
    ascending, places = tfidf._ascending(np.array(numbers, np.int64))
    assert places.tolist() == sorted(range(len(numbers)), key=lambda place: numbers[place])
    assert ascending.tolist() == sorted(numbers)


def test_runs_that_no_number_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        Texts(made_up(50), (1, 8))


def test_it_takes_little_more_memory_than_what_it_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "_AT_ONCE", 100)
    monkeypatch.setattr(tfidf, "_RUNS_AT_ONCE", 50_000)
    texts = [("", text) for text in made_up(1500, length=250)]
    tracemalloc.start()
    try:
        made = features.build(texts, U4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    matrix, terms = made.matrix, made.terms
    kept = [matrix.data, matrix.indices, matrix.indptr, terms.text, terms.ends]
    assert peak < 3 * sum(array.nbytes for array in kept), "scikit-learn takes 4.5 times as much"
