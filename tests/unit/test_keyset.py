"""Cursors: what a list gave is read as it was written, everything else is refused."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.db.keyset import START, Cursor, InvalidCursor, encode, sliced, sliced_by_id

KINDS = (int, float, str, datetime, UUID, UUID | None)
KEYS = st.tuples(
    st.integers(0, 2**31 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.none() | st.uuids(),
)


@given(KEYS)
def test_a_key_is_read_as_it_was_written(key: tuple[object, ...]) -> None:
    assert Cursor.parse(encode(*key)).key(*KINDS) == key


@pytest.mark.parametrize("text", [None, ""])
def test_without_a_cursor_a_list_begins_at_its_head(text: str | None) -> None:
    assert Cursor.parse(text) == START
    assert START.key(int, str) is None
    assert START.id() is None


@pytest.mark.parametrize(
    "plain", [b"not one", b"", b"1,", b"[1", b"\xff", b"[" * 9999, b"9" * 9999, b"NaN]"]
)
def test_what_is_no_cursor_is_refused(plain: bytes) -> None:
    text = urlsafe_b64encode(plain).decode()
    with pytest.raises(InvalidCursor, match="not one that a list gave"):
        Cursor.parse(text or "=")


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        ("-1", int), ("2147483648", int), ("1.5", int), ("true", int), ('"1"', int), ("1,2", int),
        ("NaN", float), ("Infinity", float), ("false", float), (f"1{'0' * 400}", float),
        ("1", str), (r'"\u0000"', str), (r'"\ud800"', str),
        ('"yesterday"', datetime), ('"2027-01-01T00:00:00"', datetime), ("1", datetime),
        ('"0001-01-01T00:00:00+10:00"', datetime), ('"1"', UUID), ("null", UUID), ("[]", UUID),
    ],
)  # fmt: skip
def test_a_cursor_of_another_list_is_refused(plain: str, kind: type) -> None:
    cursor = Cursor.parse(urlsafe_b64encode(plain.encode()).decode())
    with pytest.raises(InvalidCursor):
        cursor.key(kind)


@given(st.sets(st.tuples(st.integers(0, 5), st.text("ab", max_size=3))), st.integers(1, 4))
def test_pages_hold_every_item_once_in_order(items: set[tuple[int, str]], limit: int) -> None:
    found, cursor = list[tuple[int, str]](), START
    while True:
        page = sliced(items, lambda item: (-item[0], item[1]), (float, str), cursor, limit)
        found += page.items
        assert len(page.items) <= limit
        if page.next_cursor is None:
            break
        cursor = Cursor.parse(page.next_cursor)
    assert found == sorted(items, key=lambda item: (-item[0], item[1]))


def test_a_list_goes_on_behind_the_item_that_the_cursor_names() -> None:
    ids = [uuid4() for _ in range(3)]
    page = sliced_by_id(ids, lambda id: id, START, 2)
    assert page.items == ids[:2]
    rest = sliced_by_id(ids, lambda id: id, Cursor.parse(page.next_cursor), 2)
    assert (rest.items, rest.next_cursor) == (ids[2:], None)
    with pytest.raises(InvalidCursor):
        sliced_by_id(ids, lambda id: id, Cursor.parse(encode(uuid4())), 2)
