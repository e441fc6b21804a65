"""Code books: what a file may be, and which of its codes the review knows already."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from tandem.handover.code_book import Code, FileCode, Tree, identified
from tandem.handover.refi_xml import UnreadableProject, read_code_book

QDC = Path(__file__).parents[4] / "shared/data/prisma/synthetic.qdc"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    '<CodeBook><Codes><Code guid="1" name="&b;" isCodable="true"/></Codes></CodeBook>'
)


def tree(*books: list[Code]) -> list[tuple[str, ...]]:
    made = Tree(books)
    return [made.path(id) for id in made.codes]


def named(*paths: tuple[str, ...], salt: str = "") -> list[FileCode]:
    """Return codes of a file; with a salt its GUIDs are others."""
    return [
        FileCode(f"{path}{salt}", f"{path[:-1]}{salt}" if path[1:] else None, path[-1])
        for path in paths
    ]


def test_a_list_is_a_tree_by_its_indents() -> None:
    text = "Identity\n  Reframing | How they see themselves\n\tShame\r\n\nOther\tNoted\n   Deep\n"
    found = read_code_book(b"\xef\xbb\xbf" + text.encode())
    assert tree(identified(found, [])) == [
        ("Identity",),
        ("Identity", "Reframing"),
        ("Identity", "Reframing", "Shame"),
        ("Other",),
        ("Other", "Deep"),
    ]
    assert [one.description for one in found] == ["", "How they see themselves", "", "Noted", ""]


@pytest.mark.data
@pytest.mark.skipif(not QDC.exists(), reason="the samples are not beside the project")
def test_the_sample_of_a_code_book_is_read() -> None:
    (code,) = read_code_book(QDC.read_bytes())
    assert (code.name, code.color, code.description) == (
        "Reframing identity",
        "#0072B2",
        "Construct.",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"\xff\xfe\x00",
        b"PK\x03\x04\x00",
        b"<CodeBook/>",
        b"<CodeBook><Codes>",
        BOMB.encode(),
        b'<CodeBook><Codes><Code guid="1" isCodable="true"/></Codes></CodeBook>',
        b'<CodeBook><Codes><Code guid="1" name="a"/><Code guid="1" name="b"/></Codes></CodeBook>',
        b"<CodeBook>" + b"<Codes>" * 300 + b"</Codes>" * 300 + b"</CodeBook>",
        b"\n".join(b" " * n + b"a" for n in range(60)),
        b"a\n" * 5001,
    ],
)
def test_what_is_no_code_book_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableProject):
        read_code_book(content)


def test_a_code_is_known_by_its_guid_or_else_by_its_path() -> None:
    guid = str(uuid4())
    first = identified([FileCode(guid, None, "Self"), *named(("Other",))], [])
    again = identified([FileCode(guid, None, "The self"), *named(("other ",), salt="x")], [first])
    assert [one.id for one in again] == [one.id for one in first]
    assert tree(first, again) == [("The self",), ("other ",)]


def test_a_name_below_another_code_is_another_code() -> None:
    first = identified(named(("A",), ("A", "Trust")), [])
    second = identified(named(("B",), ("B", "Trust")), [first])
    assert {one.id for one in first}.isdisjoint(one.id for one in second)


NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple)
BOOKS = st.lists(st.lists(NAMES, max_size=6), min_size=1, max_size=4)


@settings(max_examples=examples(200))
@given(BOOKS)
def test_all_codes_of_all_books_are_in_the_tree_parents_first(
    books: list[list[tuple[str, ...]]],
) -> None:
    known = list[list[Code]]()
    for n, paths in enumerate(books):
        whole = sorted({path[:end] for path in paths for end in range(1, len(path) + 1)})
        known.append(identified(named(*whole, salt=str(n)), known))
    made = Tree(known)
    assert {*made.codes} == {one.id for book in known for one in book}
    seen = set[object]([None])
    for code in made.codes.values():
        assert code.parent in seen
        seen.add(code.id)
    assert len({made.path(id) for id in made.codes}) == len(made.codes)
