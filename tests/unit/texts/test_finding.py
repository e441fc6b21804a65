"""Where terms stand in a text: whole words, cut words, phrases over lines, page by page."""

import pytest

from tandem.texts.finding import passages

PAGES = [
    "Peer support, self-\nhelp and ran-\ndomised trials.",
    "Support of peers\nworking 𝒳 nights",
]
PLAIN = "\n".join(PAGES)
STARTS = [0, len(PAGES[0]) + 1]


@pytest.mark.parametrize(
    ("term", "quotes"),
    [
        ("peer", ["Peer"]),
        ("peer*", ["Peer", "peers"]),
        ("PEER SUPPORT", ["Peer support"]),
        ("randomised", ["ran-\ndomised"]),
        ("random*", ["ran-\ndomised"]),
        ("self-help", ["self-\nhelp"]),
        ("selfhelp", ["self-\nhelp"]),
        ("peers working", ["peers\nworking"]),
        ("night*", ["nights"]),
        ("eer", []),
        (".*", []),
        ("*", []),
        ("", []),
        ("trials. Support", ["trials."]),
    ],
)
def test_terms_are_found_as_people_mean_them(term: str, quotes: list[str]) -> None:
    found = passages(PLAIN, STARTS, [term])

    assert [one.quote for one in found] == quotes
    for one in found:
        assert PLAIN[one.start : one.end] == one.quote


def test_pages_and_surroundings_are_returned() -> None:
    first, second = passages(PLAIN, STARTS, ["support", "nobody"])

    assert (first.page, first.before, second.page, second.before) == (0, "Peer ", 1, "")
    assert second.after == " of peers\nworking 𝒳 nights"


def test_of_two_terms_the_longer_one_is_found_where_both_stand() -> None:
    found = passages(PLAIN, STARTS, ["support", "support of peers"])

    assert [one.quote for one in found] == ["support", "Support of peers"]


def test_there_is_an_end_to_it() -> None:
    assert len(passages("a " * 5000, [0], ["a"])) == 500
