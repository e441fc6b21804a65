"""Texts as word pieces. No piece spans two words: each word is cut once, not wherever it stands."""

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MOST_WORDS = 500_000
"""That are remembered, in some 100 MB, or a few more. 100,000 records have 330,000: were these
forgotten on the way, the frequent ones would be cut over and over again."""

_SEPARATOR = "▁"
"""Begins the first piece of each word, by the tokenizers of Llama."""


class WordPieces:
    """Counts the pieces of texts, by a tokenizer none of whose pieces spans two words."""

    def __init__(self, file: Path) -> None:
        self.tokenizer = _tokenizer(file)
        self.n_pieces = self.tokenizer.get_vocab_size()
        special = [token.content for token in self.tokenizer.get_added_tokens_decoder().values()]
        self._marks = {token[0] for token in [*special, _SEPARATOR]}
        self._spans_words = re.compile("|".join(map(re.escape, [*special, _SEPARATOR])))
        self._forget()

    def counts(self, texts: Sequence[str]) -> csr_matrix:
        """Return how often each text has each piece, float32, shape (n_texts, n_pieces)."""
        if len(self._number) > _MOST_WORDS:
            self._forget()
        words = [self._words(text) for text in texts]
        numbers = np.fromiter(map(self._number.__getitem__, chain.from_iterable(words)), np.int64)
        self._cut_new_words()
        word_ends = np.asarray(self._ends)
        begin = word_ends[numbers]
        n_of_word = word_ends[numbers + 1] - begin
        ends = np.concatenate([[0], np.cumsum(n_of_word)])
        # Piece by piece: where the pieces of its word begin, and how many of them came before.
        places = np.repeat(begin - ends[:-1], n_of_word) + np.arange(ends[-1])
        pieces = np.asarray(self._pieces)[places]
        of_texts = ends[np.cumsum([0, *map(len, words)])]
        shape = (len(texts), self.n_pieces)
        found = csr_matrix((np.ones(pieces.size, np.float32), pieces, of_texts), shape=shape)
        found.sum_duplicates()
        return found

    def _words(self, text: str) -> list[str]:
        words = text.split()
        if words and any(mark in text for mark in self._marks) and self._spans_words.search(text):
            return [" ".join(words)]
        return words

    def _cut_new_words(self) -> None:
        """Cut the words that have a number and no end of their pieces yet."""
        n_new = len(self._number) + 1 - len(self._ends)
        new = [*islice(reversed(self._number), n_new)][::-1]
        for found in self.tokenizer.encode_batch(new, add_special_tokens=False):
            self._pieces.extend(found.ids)
            self._ends.append(len(self._pieces))

    def _forget(self) -> None:
        self._number: defaultdict[str, int] = defaultdict()
        self._number.default_factory = self._number.__len__
        self._pieces, self._ends = array("i"), array("q", [0])


@cache
def _tokenizer(file: Path) -> "Tokenizer":
    """Return the tokenizer of a process: each one that is made keeps some 10 MB when it is gone."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(file))
    made.no_truncation()
    made.no_padding()
    return made
