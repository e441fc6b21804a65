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
@pytest.mark.parametrize("text", ["ΟΔΥΣΣΕΥΣ, Ομήρου", "Οδυσσεύς ΟΔΥΣΣΕΥΣ"])
@pytest.mark.parametrize("word", ["ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ"])
def test_a_sigma_is_found_at_the_end_of_a_word_and_within(
    database: Database, text: str, word: str
) -> None:
    with database.read() as session:
        assert session.scalar(select(contains(literal(text), word)))


@pytest.mark.both_engines
@pytest.mark.parametrize("word", ["İSTANBUL", "İstanbul", "i\u0307stanbul"])
def test_a_capital_i_with_a_dot_is_found(database: Database, word: str) -> None:
    with database.read() as session:
        assert session.scalar(select(contains(literal("In İstanbul"), word)))


@pytest.mark.both_engines
def test_it_is_found_as_by_python(database: Database) -> None:
    pairs = list(itertools.product(TEXTS, WORDS))
    with database.read() as session:
        found = [session.scalar(select(contains(literal(text), word))) for text, word in pairs]

    assert [bool(each) for each in found] == [word.lower() in text.lower() for text, word in pairs]
