import random
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.ids import RecordNumber
from tandem.records.duplicates import blocking
from tandem.records.duplicates.clusters import Found, find
from tandem.records.duplicates.matching import Identity
from tandem.records.duplicates.relations import Relation
from tandem.records.formats.entry import Kind
from unit.records.duplicates.identities import DOI, OTHER_DOI, PMID, TITLE, bare, record


def numbers(*values: int) -> list[RecordNumber]:
    return [RecordNumber(value) for value in values]


def apart(*pairs: tuple[int, int]) -> set[frozenset[RecordNumber]]:
    return {frozenset(numbers(*pair)) for pair in pairs}


def asked(found: Found) -> list[tuple[int, int]]:
    return [(proposal.first, proposal.second) for proposal in found.proposed]


def test_nothing_is_found_among_nothing() -> None:
    assert find([]) == Found((), (), ())
    assert find([record(1)]) == Found((), (), ())


def test_two_records_cannot_have_one_number() -> None:
    with pytest.raises(ValueError, match="one number"):
        find([record(1), record(1)])


def test_one_article_from_three_databases_is_one_group() -> None:
    found = find(
        [record(3, pmid=PMID), record(1, doi=DOI), record(2), record(4, title="Meals", pages="9")]
    )
    assert found.linked == ((1, 2, 3),)
    assert found.proposed == ()


def test_a_chain_is_one_group_though_its_ends_share_nothing() -> None:
    first = bare(1, title=TITLE, doi=DOI)
    last = bare(3, title=TITLE, pmid=PMID)
    assert find([first, last]).linked == ()
    assert find([first, bare(2, title=TITLE, doi=DOI, pmid=PMID), last]).linked == ((1, 2, 3),)


def test_a_group_grows_and_groups_grow_together() -> None:
    records = [record(n) for n in (1, 2, 5, 6)] + [record(9, title="Meals", pages="9")]
    assert find(records, groups=[numbers(1, 9)]).linked == ((2, 5, 6),)  # 9 is another work

    same = [record(n, doi=DOI) for n in (1, 2, 5, 6)]
    assert find(same[:3], groups=[numbers(1, 2)]).linked == ((1, 2, 5),)
    assert find(same, groups=[numbers(1, 2), numbers(5, 6)]).linked == ((1, 2, 5, 6),)


def test_an_unchanged_group_is_not_reported_again() -> None:
    records = [record(1), record(2)]
    assert find(records, groups=[numbers(2, 1)]) == Found((), (), ())
    assert find([record(1)], groups=[numbers(1, 77)]) == Found((), (), ())


def test_what_people_linked_stays_though_it_looks_different() -> None:
    records = [record(1), record(2, title="Meals in hospital canteens", pages="9", year=2001)]
    assert find(records, groups=[numbers(1, 2)]) == Found((), (), ())


def test_what_people_parted_is_neither_linked_nor_proposed() -> None:
    assert find([record(1), record(2)], apart=apart((1, 2))) == Found((), (), ())
    almost = [record(1), record(2, year=2019)]
    assert asked(find(almost)) == [(1, 2)]
    assert find(almost, apart=apart((1, 2))) == Found((), (), ())


def test_what_people_parted_does_not_meet_in_a_third_record() -> None:
    records = [record(n) for n in (1, 2, 3)]
    found = find(records, apart=apart((1, 2)))
    assert len(found.linked) == 1
    assert not {1, 2} <= set(found.linked[0])
    assert found.proposed == ()  # the third is with one of them, so it is not the other

    assert find(records, groups=[numbers(1, 3)], apart=apart((1, 2))).linked == ()


def test_a_contradicted_link_becomes_a_question() -> None:
    one, bare_, other = {"doi": DOI}, dict[str, str](), {"doi": OTHER_DOI}
    for fields in permutations((one, bare_, other)):
        found = find([record(n, **of) for n, of in enumerate(fields, 1)])
        ((a, b),) = found.linked
        assert {fields[a - 1].get("doi"), fields[b - 1].get("doi")} == {None, OTHER_DOI}
        assert len(asked(found)) == 1


def test_four_that_may_be_one_make_three_questions() -> None:
    records = [record(n, volume=None, pages=None) for n in (1, 2, 3, 4)]
    found = find(records)
    assert found.linked == ()
    assert len(found.proposed) == 3
    answered = find(records, groups=[asked(found)[0]])  # type: ignore[list-item]
    assert len(answered.proposed) == 2


def test_questions_within_a_group_are_not_asked() -> None:
    records = [record(1), record(2), record(3, year=2019)]
    found = find(records)
    assert found.linked == ((1, 2),)
    assert len(found.proposed) == 1
    assert find(records, groups=[numbers(1, 2, 3)]).proposed == ()


def test_a_chain_of_pairs_is_proposed_but_not_linked() -> None:
    article = record(1, kind=Kind.ARTICLE, doi=DOI)
    erratum = record(2, title="Erratum: " + TITLE, pages="301", doi=OTHER_DOI)
    protocol = record(3, title=TITLE + ": study protocol", year=2015, pages="20-31")
    preprint = record(4, kind=Kind.PREPRINT, journal=None, volume=None, pages=None, year=2017)
    found = find([article, erratum, protocol, preprint])
    assert found.linked == ()
    assert {(r.first, r.second, r.relation) for r in found.related} >= {
        (1, 2, Relation.ERRATUM),
        (1, 3, Relation.PROTOCOL),
        (1, 4, Relation.PREPRINT),
    }
    assert asked(found) == [(1, 4)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (record(1), record(2, title="Zarly walking after abdominal surgery: a randomised trial")),
        (record(1), record(2, title="Frühes Gehen nach Bauchoperationen, eine Studie")),
        (record(1, year=None), record(2, authors=())),
        (record(1, authors=()), record(2, authors=(), title=TITLE + " at home")),
        (bare(1, title=TITLE, doi=DOI), bare(2, doi=DOI)),
        (bare(1, title=TITLE, pmid=PMID), bare(2, title="Meals", pmid=PMID)),
        (record(1), record(2, title="Trial report: " + TITLE)),
        (record(1), record(2, year=2019, title="On e" + TITLE[1:])),
    ],
)
def test_some_block_brings_duplicates_together(one: Identity, other: Identity) -> None:
    found = find([one, other, record(3, title="Meals", authors=("Roe, A",), pages="7-9")])
    assert found.linked == ((1, 2),) or asked(found) == [(1, 2)]


def test_a_thousand_editorials_are_neither_one_nor_slow() -> None:
    size = 3 * blocking.LARGEST
    records = [
        bare(n, title="Editorial", authors=(f"Author{n % 50}, A.",), year=2000 + n % 20, pages="1")
        for n in range(size)
    ]
    records += [record(size + 1), record(size + 2)]
    started = time.perf_counter()
    found = find(records)
    assert found.linked == ((size + 1, size + 2),)
    assert found.proposed == ()
    assert time.perf_counter() - started < 30  # every pair would take ten minutes


def test_duplicates_are_found_in_a_crowd_of_namesakes() -> None:
    crowd = [
        bare(n, title=f"{TITLE} of {n} kinds", authors=("Wang, L.",), year=2020)
        for n in range(blocking.LARGEST + 1)
    ]
    pair = [
        bare(n, title=TITLE + " of hens", authors=("Wang, L.",), year=2020, volume="3")
        for n in (-2, -1)
    ]
    assert find(crowd + pair).linked == ((-2, -1),)


def test_copies_without_number_are_one_group() -> None:
    size = 2 * blocking.LARGEST
    assert find([record(n) for n in range(size)]).linked == (tuple(range(size)),)


# Properties

TITLES = [
    TITLE,
    TITLE + " at home",
    TITLE.replace("walking", "wolking"),
    "Erratum: " + TITLE,
    "Editorial",
    "老年护士夜班睡眠质量的观察与分析研究",
]


@st.composite
def worlds(draw: st.DrawFn) -> list[Identity]:
    n = draw(st.integers(0, 9))
    return [
        record(
            number,
            title=draw(st.sampled_from(TITLES)),
            year=draw(st.sampled_from([2018, 2019, None])),
            pages=draw(st.sampled_from(["152-160", "301", None])),
            volume=draw(st.sampled_from(["41", None])),
            doi=draw(st.sampled_from([None, None, DOI, OTHER_DOI])),
            pmid=draw(st.sampled_from([None, None, PMID])),
            kind=draw(st.sampled_from([None, None, Kind.ARTICLE, Kind.PREPRINT])),
        )
        for number in range(1, n + 1)
    ]


pairs = st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda pair: pair[0] != pair[1])


@given(worlds(), st.sets(pairs, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    records: list[Identity], parted: set[tuple[int, int]], dice: random.Random
) -> None:
    shuffled: Sequence[Identity] = dice.sample(records, len(records))
    assert find(records, apart=apart(*parted)) == find(shuffled, apart=apart(*parted))


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_import_changes_no_group(records: list[Identity], dice: random.Random) -> None:
    numbers = [*range(1, len(records) + 1)]
    dice.shuffle(numbers)
    imported = [
        replace(record, number=RecordNumber(number))
        for record, number in zip(records, numbers, strict=True)
    ]

    def groups(of: list[Identity]) -> list[list[str]]:
        text = {record.number: repr(replace(record, number=RecordNumber(0))) for record in of}
        return sorted(sorted(text[number] for number in group) for group in find(of).linked)

    assert groups(records) == groups(imported)


@given(worlds(), st.sets(pairs, max_size=6))
def test_groups_are_disjoint_and_hold_none_that_are_apart(
    records: list[Identity], parted: set[tuple[int, int]]
) -> None:
    barred = apart(*parted)
    found = find(records, apart=barred)
    members = [number for group in found.linked for number in group]
    assert len(members) == len(set(members))
    group_of = {number: group for group in found.linked for number in group}
    for group in found.linked:
        assert group == tuple(sorted(group))
        assert not any(frozenset(pair) in barred for pair in combinations(group, 2))
    for p in found.proposed:
        assert p.first < p.second
        one, other = (group_of.get(n, (n,)) for n in (p.first, p.second))
        assert one != other
        assert not any(frozenset((a, b)) in barred for a in one for b in other)


@given(worlds())
def test_what_was_linked_is_not_reported_again(records: list[Identity]) -> None:
    found = find(records)
    again = find(records, groups=found.linked)
    assert again.linked == ()
    assert again.related == found.related
    assert again.proposed == found.proposed
