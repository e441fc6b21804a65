"""What holds for every format of tagged lines, whatever stands in the file."""

import re

from hypothesis import strategies as st

from tandem.records.formats.assembly import LONGEST_RECORD
from tandem.records.formats.entry import LONGEST_EXCERPT, Entry, Rejection
from tandem.records.formats.pieces import Reader, opened

UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

any_text = st.text(st.characters(codec=None), max_size=200)
any_line = st.text(st.characters(codec=None, exclude_characters="\n"), max_size=80)


def read(reader: Reader[str], text: str) -> list[Entry | Rejection]:
    """Return all that is read, having seen that it is what may be stored and is counted right.

    Of the text every character is in one piece, and pieces left out are known to be no record.
    """
    at = reader.begins(text)
    assert at is None or 0 <= at < max(len(text), 1)
    file = opened(reader, text)
    found: list[Entry | Rejection] = list(file.entries())
    assert len(found) == file.cut.total
    ends = [0]
    for start, end, _ in file.cut:
        assert ends[-1] == start < end
        ends.append(end)
    assert ends[-1] == len(text)
    for position, item in enumerate(found, start=1):
        if isinstance(item, Rejection):
            assert item.position == position
            assert item.reason
            assert len(item.excerpt) <= LONGEST_EXCERPT
            assert not UNSTORABLE.search(item.excerpt)
        else:
            assert item.title or item.abstract
            assert len(item.raw) <= LONGEST_RECORD
            for value in (item.title, item.abstract, item.raw, *item.authors, *item.keywords):
                assert not UNSTORABLE.search(value)
    return found


def titles(reader: Reader[str], text: str) -> list[str]:
    """Return the titles of all records, none of which may be rejected."""
    found = read(reader, text)
    assert all(isinstance(item, Entry) for item in found), found
    return [item.title for item in found if isinstance(item, Entry)]


def only(reader: Reader[str], text: str) -> Entry:
    """Return the one record there is."""
    (entry,) = read(reader, text)
    assert isinstance(entry, Entry), entry
    return entry
