"""Cut word by word, texts have the pieces that they have as a whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tandem.ranking import word_pieces, word_vectors
from tandem.ranking.word_pieces import WordPieces

pytestmark = pytest.mark.skipif(
    not word_vectors.is_installed(), reason="no word vectors on this platform"
)

PARTS = [
    "trial",
    "Größe,",
    "日本語",
    "(n=12)",
    "\u2581",
    "<s>",
    "</s>",
    "<unk>",
    "<",
    " ",
    "\n",
    "é",
    "🙂",
]


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces(word_vectors.tokenizer_file())


def test_all_of_a_process_share_a_tokenizer() -> None:
    file = word_vectors.tokenizer_file()
    assert WordPieces(file).tokenizer is WordPieces(file).tokenizer


def as_a_whole(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(" ".join(text.split()), add_special_tokens=False).ids


@given(
    texts=st.lists(
        st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PARTS)).map("".join)), max_size=5
    )
)
def test_any_texts(pieces: WordPieces, texts: list[str]) -> None:
    counts = pieces.counts(texts).toarray()
    for row, text in zip(counts, texts, strict=True):
        whole = as_a_whole(pieces.tokenizer, text)
        np.testing.assert_array_equal(row, np.bincount(whole, minlength=row.size))


def test_words_that_were_forgotten_are_cut_again(
    pieces: WordPieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"word{number} and more of it" for number in range(50)]
    known = pieces.counts(texts).toarray()
    monkeypatch.setattr(word_pieces, "_MOST_WORDS", 7)
    again = np.concatenate([pieces.counts([text]).toarray() for text in texts])
    np.testing.assert_array_equal(again, known)
