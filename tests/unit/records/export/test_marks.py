"""What an export adds can be recognised and undone."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records import marks
from tandem.records.export import jsonl, tags
from unit.records.export.exported import FULL

DANGEROUS = "=+-@\t\r\n＝＋－＠"


@given(st.text(st.one_of(st.sampled_from(DANGEROUS + "'"), st.characters()), max_size=6))
def test_a_guarded_text_begins_no_formula_and_comes_back(text: str) -> None:
    safe = marks.guarded(text)

    assert safe[:1] not in [*DANGEROUS]
    assert marks.unguarded(safe) == text


@pytest.mark.parametrize("text", ["'tis", "'", "''", "", "a=b", "O'Neil", "1-2"])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert marks.guarded(text) == text
    assert marks.unguarded(text) == text


def test_tags_and_notes_are_marked() -> None:
    assert tags.tags(FULL) == [
        "Tandem title and abstract: excluded",
        "Tandem reason: wrong population",
        "Tandem reason: no data, none",
        "Tandem label: later",
    ]
    assert tags.notes(FULL) == [
        "Tandem decision: exclude by Ann Lee, 2027-01-02 12:00 UTC. Reasons: wrong population; "
        "no data; none. Labels: later. Note: See fig. 2.",
        "Tandem decision: include by Ben Ray, 2027-01-02 12:00 UTC",
        "Tandem resolution: exclude by Zoë, 2027-01-02 12:00 UTC. Reasons: wrong population",
    ]
    assert all(map(marks.is_mark, [*tags.tags(FULL), *tags.notes(FULL)]))


def test_the_final_reason_comes_first_and_none_of_the_others_is_lost() -> None:
    final = replace(FULL, final_reason="No data; none")

    assert final.reasons == ("No data; none", "wrong population")
    assert tags.tags(final)[1:3] == [
        "Tandem reason: No data, none",
        "Tandem reason: wrong population",
    ]
    # The blinded see only their own, and the one that counts.
    assert replace(final, judged=()).reasons == ("No data; none",)
    assert json.loads("".join(jsonl.write([final])))["final_reason"] == "No data; none"


@pytest.mark.parametrize("text", ["tandem", "Tandem mass spectrometry", "Tandem repeat: a study"])
def test_a_keyword_of_a_publication_is_no_mark(text: str) -> None:
    assert not marks.is_mark(text)
