"""Records of trial registries, and articles that name their numbers."""

from typing import Any

import pytest

from tandem.records.duplicates.clusters import find
from tandem.records.duplicates.matching import Certainty, Identity, compare, relation
from tandem.records.duplicates.relations import Relation
from tandem.records.formats.entry import Kind
from unit.records.duplicates.identities import TITLE, bare, record

AUTOMATIC, PROPOSED = Certainty.AUTOMATIC, Certainty.PROPOSED
NCT, OTHER_NCT, EU = "NCT01234567", "NCT07654321", "EUCTR2010-012345-67"


def trial(number: int, *ids: str, **fields: Any) -> Identity:
    return bare(number, **{"title": TITLE, "kind": Kind.TRIAL, "registry_ids": ids, **fields})


def certainty(one: Identity, other: Identity) -> Certainty | None:
    match = compare(one, other)
    assert match == compare(other, one)
    return match.certainty if match else None


def test_one_number_is_one_record_whatever_the_title() -> None:
    assert certainty(trial(1, NCT), trial(2, NCT)) is AUTOMATIC
    scientific = trial(2, NCT, title="A phase 3 study of mobilisation in surgical patients")
    assert certainty(trial(1, NCT), scientific) is AUTOMATIC


def test_two_registries_have_one_trial_where_one_names_the_number_of_the_other() -> None:
    assert certainty(trial(1, NCT, EU), trial(2, EU)) is AUTOMATIC
    scientific = trial(2, EU, title="A phase 3 study of mobilisation in surgical patients")
    assert certainty(trial(1, NCT, EU), scientific) is PROPOSED


def test_two_numbers_of_one_registry_are_two_trials() -> None:
    assert certainty(trial(1, NCT), trial(2, OTHER_NCT)) is None
    assert certainty(trial(1, NCT), trial(2, OTHER_NCT, NCT)) is None
    assert certainty(trial(1, NCT), trial(2, EU)) is PROPOSED  # by the title


@pytest.mark.parametrize("kind", [Kind.ARTICLE, None])
def test_an_article_about_the_trial_is_never_linked_but_named(kind: Kind | None) -> None:
    article = record(2, title="Walking at home", kind=kind, registry_ids=(NCT,))
    assert certainty(trial(1, NCT), article) is None
    assert relation(trial(1, NCT), article) is Relation.REGISTRATION
    assert relation(article, trial(1, NCT)) is Relation.REGISTRATION
    same = record(2, kind=kind, registry_ids=(NCT,))
    assert certainty(trial(1, NCT, year=2018), same) is PROPOSED
    whole = record(1, kind=Kind.TRIAL, registry_ids=(NCT,))
    assert certainty(whole, same) is PROPOSED


def test_two_articles_about_one_trial_are_two() -> None:
    one = record(1, title="Walking at home", registry_ids=(NCT,), pages="1-9")
    other = record(2, title="Walking in the ward", registry_ids=(NCT,), pages="11-19")
    assert certainty(one, other) is None
    assert relation(one, other) is None


def test_all_are_found_among_many() -> None:
    others = [bare(n, title=f"Another study of {n} patients with pain") for n in range(10, 40)]
    found = find(
        [
            trial(1, NCT),
            trial(2, NCT, title="A phase 3 study of mobilisation in surgical patients"),
            trial(3, EU, NCT, title="Mobilisation of the patient"),
            record(4, title="Walking at home", kind=Kind.ARTICLE, registry_ids=(NCT,)),
            *others,
        ]
    )
    assert found.linked == ((1, 2),)
    assert [p.second for p in found.proposed] == [3]
    assert "one names the other's registry number" in found.proposed[0].evidence
    assert [(r.first, r.second) for r in found.related] == [(1, 4), (2, 4)]
