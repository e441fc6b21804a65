"""Titles and abstracts that wait in a file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tandem.ranking.stored_texts import StoredTexts

TEXTS = st.text(st.characters())  # with halves of pairs of surrogates, as JSON can bring them


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_they_are_read_as_they_were_written_as_often_as_one_likes(
    pairs: list[tuple[str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        texts = StoredTexts(iter(pairs), Path(folder, "texts"))

        assert len(texts) == len(pairs)
        assert [*texts] == [*texts] == pairs
        assert all(pair in texts for pair in pairs)
        assert ("\0", "no such pair\0") not in texts
