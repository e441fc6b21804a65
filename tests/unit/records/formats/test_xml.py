import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.etree import _Element as Element

from tandem.records.formats.assembly import LONGEST_RECORD, Parts
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import opened
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree
from unit.records.formats.tagged_lines import any_text

CUT = xml.Cut(names="item", inside="name", then=r"\s*(?=<(?:\w+:)?(?:name|note)\b)")


def parts(element: Element) -> Parts:
    return Parts(titles=tree.texts(element, "name"), abstracts=tree.texts(element, "note"))


READER = xml.XmlReader(CUT, parts)


def read(text: str) -> list[Entry | Rejection]:
    file = opened(READER, text)
    found = list(file.entries())
    assert file.cut.total == len(found)
    return found


def titles(text: str) -> list[str | None]:
    """Return titles, None for each rejection."""
    return [item.title if isinstance(item, Entry) else None for item in read(text)]


def reasons(text: str) -> list[str]:
    return [item.reason for item in read(text) if isinstance(item, Rejection)]


def item(name: str) -> str:
    return f"<item><name>{name}</name></item>"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("A &amp; B", "A & B"),
        ("A & B", "A & B"),
        ("A &eacute;t&eacute; B", "A été B"),
        ("p < 0.05 and 3 <4", "p < 0.05 and 3 <4"),
        ("left <right", "left <right"),
        ("A &#0;&#x1;\x02B", "A B"),
        ("<![CDATA[A < B & C]]>", "A < B & C"),
        ("one<br>two", "one two"),
        ("a <b>bold</i> word", "a bold word"),
        ("x<sub>2</sub>", "x2"),
        ("see doi:b and \u00b2a:b", "see doi:b and \u00b2a:b"),
        ("a<!-- never said --> b", "a b"),
    ],
)
def test_what_is_escaped_wrongly_is_read_as_it_was_meant(value: str, meant: str) -> None:
    assert titles(f"<list>{item(value)}{item('next')}</list>") == [meant, "next"]


def test_prefixes_are_no_matter_declared_or_not() -> None:
    text = '<z:item xmlns:q="u"><z:name z:kind="k">One</z:name></z:item>'
    assert titles(f"<z:list>{text}<item xmlns='u'><name>Two</name></item></z:list>") == [
        "One",
        "Two",
    ]


def test_malformed_record_is_one_rejection() -> None:
    bad = "<item><name>One</note></item>"
    assert titles(f"<list>{item('A')}{bad}{item('B')}</list>") == ["A", None, "B"]
    assert "not well-formed" in reasons(f"<list>{bad}</list>")[0]


def test_record_without_its_end_tag_is_reported_and_the_next_is_read() -> None:
    text = f"<list><item><name>One</name>{item('Two')}<item><name>Thr"
    assert titles(text) == [None, "Two", None]
    assert all("breaks off" in reason for reason in reasons(text))


def test_record_without_its_start_tag_is_reported() -> None:
    text = f"<list>{item('One')}<itm><name>Two</name></item>{item('Three')}</list>"
    assert titles(text) == ["One", None, "Three"]
    assert "start tag is missing" in reasons(text)[0]


def test_comments_between_records_are_passed_over() -> None:
    assert titles(f"<list><!-- {item('Old')} -->{item('New')}</list>") == ["New"]
    assert titles(f"<list><!-- {item('Never closed')}") == ["Never closed"]


def test_empty_record_is_rejected() -> None:
    cut = xml.Cut(names="item", inside="name")
    found = list(
        opened(
            xml.XmlReader(cut, parts), "<list><item/><item><name>A</name></item></list>"
        ).entries()
    )
    assert [isinstance(each, Entry) for each in found] == [False, True]


def test_longer_record_than_any_is_rejected_and_its_neighbours_read() -> None:
    assert titles(item("One") + item("x" * LONGEST_RECORD) + item("Three")) == [
        "One",
        None,
        "Three",
    ]


def test_browsers_word_above_the_tree_is_passed_over() -> None:
    text = "This XML file does not appear to have any style information.\n"
    assert titles(f"{text}<list>{item('One')}</list>") == ["One"]


def test_text_that_only_mentions_the_elements_is_no_xml() -> None:
    assert READER.begins(f"TY  - JOUR\nTI  - How to write {item('One')}") is None
    assert READER.begins(f"A sentence about {item('One')}") is None


def test_entities_of_the_file_are_never_expanded() -> None:
    rows = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE list [<!ENTITY e0 "ha">{rows}]><list>{item("&e11;")}{item("Two")}</list>'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert titles(text) == ["&e11;", "Two"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_one_long_entity_used_often_is_not_expanded() -> None:
    text = f'<!DOCTYPE list [<!ENTITY e "{"x" * 50_000}">]><list>{item("a" + "&e;" * 1000)}</list>'
    (title,) = titles(text)
    assert title is not None
    assert len(title) <= 5000


def test_files_are_not_looked_into(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    text = f'<!DOCTYPE list [<!ENTITY e SYSTEM "file://{secret}">]><list>{item("a &e;")}</list>'
    assert titles(text) == ["a &e;"]
    inside = f'<item><name>a</name><!DOCTYPE x SYSTEM "file://{secret}"></item>'
    assert titles(inside + item("b")) == ["a", "b"]


def test_depth_beyond_all_sense_is_rejected() -> None:
    deep = f"<item><name>{'<a>' * 100_000}{'</a>' * 100_000}</name></item>"
    assert titles(deep + item("Two")) == [None, "Two"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<item><name>", "<item ", "<a ", "&", "&a", "<name>", "</item>", "<a:b "]
)
def test_hostile_repetition_takes_time_in_proportion(piece: str) -> None:
    text = "<list>" + item("One") + piece * (2_000_000 // len(piece))
    assert titles(text)[0] == "One"


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), any_text)
def test_mangled_record_never_loses_its_neighbours(pieces: list[str], junk: str) -> None:
    mangled = "".join(pieces).replace("<!--", "")
    found = titles(f"<list>{item('First')}<item><name>{mangled}</name></item>{item('Last')}</list>")
    assert found[0] == "First"
    assert found[-1] == "Last"
    assert len(found) >= 3
    read(junk)


@given(st.data())
def test_record_with_a_piece_cut_out_never_loses_its_neighbours(data: st.DataObject) -> None:
    middle = '<item kind="k"><name>Some &amp; name</name><note>A <b>note</b></note></item>'
    start = data.draw(st.integers(0, len(middle)))
    end = data.draw(st.integers(start, len(middle)))
    text = f"<list>{item('First')}{middle[:start]}{middle[end:]}{item('Last')}</list>"
    found = titles(text)
    assert found[0] == "First"
    assert found[-1] == "Last"


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "<item>",
                    "</item>",
                    "<item/>",
                    "<name>",
                    "</name>",
                    "<!--",
                    "-->",
                    "]]>",
                    "<x:item>",
                ),
                *("<![CDATA[", "&", "&x;", "<", ">", '"', "a", "<?p", "\x00", "\ud800", "<item "),
            ]
        ),
        max_size=20,
    ).map("".join)
)
def test_any_order_of_tags_is_counted_right(text: str) -> None:
    for each in read(f"<{text}"):
        assert isinstance(each, Entry | Rejection)
