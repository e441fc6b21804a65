"""A word is found in a text in any case, by both engines as Python would."""

import itertools

import pytest
from sqlalchemy import literal, select

from tandem.db.any_case import contains
from tandem.db.session import Database

TEXTS = ("Peer SUPPORT at work", "Über die Straße, ÜBERGANG", "100 % of a_b, a\\b and a/b", "")
WORDS = (
    "peer",
    "PEER",
    "support",
    "über",
    "ÜBER",
    "straße",
    "%",
    "_",
    "a_b",
    "aXb",
    "\\",
    "/",
    "zz",
)


@pytest.mark.both_engines
def test_it_is_found_as_by_python(database: Database) -> None:
    pairs = list(itertools.product(TEXTS, WORDS))
    with database.read() as session:
        found = [session.scalar(select(contains(literal(text), word))) for text, word in pairs]

    assert [bool(each) for each in found] == [word.lower() in text.lower() for text, word in pairs]
