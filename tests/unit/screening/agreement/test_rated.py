"""Which decision counts: the first one somebody made of a record, and only theirs."""

from itertools import permutations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.screening.agreement.rated import EXCLUDE, INCLUDE, MAYBE, NONE, Entry, Rated, rate

unhurried = settings(deadline=None)
ANN, BEN = str(UUID(int=1)), str(UUID(int=2))
NOVEMBER = 2026 * 12 + 11


def entry(seq: int, verdict: int, who: str = ANN, number: int = 1, **marks: int) -> Entry:
    plain = {"informed": 0, "is_carried": 0, "is_second": 0, "is_entered": 0, "month": NOVEMBER}
    return Entry(number, who, seq, verdict, **(plain | marks))


def said(found: Rated) -> list[list[int]]:
    return [row.tolist() for row in found.verdicts]


def test_the_first_verdict_counts_whatever_comes_after() -> None:
    later = [entry(2, EXCLUDE), entry(3, NONE), entry(4, MAYBE)]

    assert said(rate([entry(1, INCLUDE), *later])) == [[INCLUDE]]


def test_a_maybe_keeps_the_record_in_and_is_counted() -> None:
    found = rate([entry(1, MAYBE), entry(2, EXCLUDE, BEN)])

    assert said(found) == [[INCLUDE], [EXCLUDE]]
    assert found.is_maybe.tolist() == [[True], [False]]


def test_who_has_taken_it_back_is_left_out() -> None:
    found = rate([entry(1, INCLUDE), entry(2, EXCLUDE, BEN), entry(3, NONE)])

    assert found.reviewers == [UUID(ANN), UUID(BEN)]
    assert said(found) == [[NONE], [EXCLUDE]]


def test_second_votes_are_never_first() -> None:
    assert said(rate([entry(1, EXCLUDE), entry(2, INCLUDE, is_second=1)])) == [[EXCLUDE]]
    assert said(rate([entry(1, INCLUDE, is_second=1), entry(2, EXCLUDE)])) == [[EXCLUDE]]
    assert rate([entry(1, INCLUDE, is_second=1)]).numbers.size == 0


def test_carried_decisions_count() -> None:
    assert said(rate([entry(1, INCLUDE, is_carried=1), entry(2, EXCLUDE)])) == [[INCLUDE]]


def test_what_left_with_another_record_does_not() -> None:
    came = entry(1, INCLUDE, is_carried=1)
    left = entry(2, NONE, is_carried=1)

    assert rate([came, left]).numbers.size == 0
    assert said(rate([came, left, entry(3, EXCLUDE)])) == [[EXCLUDE]]


def test_what_somebody_else_took_back_does_not_count_again() -> None:
    void = entry(2, NONE, is_entered=1)

    assert said(rate([entry(1, INCLUDE), void, entry(3, EXCLUDE)])) == [[EXCLUDE]]
    assert rate([entry(1, INCLUDE), void]).numbers.size == 0


def test_the_month_is_that_of_the_last_first_decision() -> None:
    entries = [
        entry(1, INCLUDE),
        entry(2, INCLUDE, BEN, month=NOVEMBER + 2),
        entry(3, EXCLUDE, month=NOVEMBER + 5),
    ]

    assert rate(entries).months.tolist() == [NOVEMBER + 2]


def test_informed_is_that_of_the_first_decision() -> None:
    found = rate([entry(1, INCLUDE), entry(2, EXCLUDE, informed=1), entry(3, EXCLUDE, BEN, 1)])
    aware = rate([entry(1, INCLUDE), entry(2, EXCLUDE, BEN, informed=1)])

    assert not found.informed.any()
    assert aware.unaware().tolist() == [[INCLUDE], [NONE]]


def test_ids_are_read_with_and_without_dashes() -> None:
    found = rate([entry(1, INCLUDE), entry(2, INCLUDE, UUID(ANN).hex, number=2)])

    assert said(found) == [[INCLUDE, INCLUDE]]


def test_no_ledger_no_decisions() -> None:
    assert rate([]).numbers.size == 0


def test_the_order_of_rows_does_not_matter() -> None:
    entries = [entry(1, INCLUDE), entry(2, NONE), entry(3, EXCLUDE), entry(4, MAYBE, BEN)]

    assert {str(said(rate(list(some)))) for some in permutations(entries)} == {"[[1], [1]]"}


verdicts = st.sampled_from([NONE, EXCLUDE, INCLUDE, MAYBE])
marks = st.sampled_from([{}, {"is_second": 1}, {"is_carried": 1}, {"is_entered": 1}])
histories = st.lists(
    st.tuples(st.sampled_from([ANN, BEN]), st.integers(1, 3), verdicts, marks), max_size=25
)


@unhurried
@given(histories)
def test_it_is_what_reading_the_ledger_line_by_line_gives(
    history: list[tuple[str, int, int, dict[str, int]]],
) -> None:
    entries = [
        entry(seq, verdict, who, number, **extra)
        for seq, (who, number, verdict, extra) in enumerate(history)
    ]
    expected: dict[tuple[str, int], int] = {}
    present: dict[tuple[str, int], int] = {}
    for line in entries:
        key = (line.reviewer, line.number)
        present[key] = line.verdict
        if line.verdict == NONE and (line.is_carried or line.is_entered):
            expected.pop(key, None)
        elif line.verdict != NONE and not line.is_second:
            expected.setdefault(key, line.verdict)

    found = rate(entries)
    got = {
        (str(reviewer), int(number)): int(found.verdicts[row, column])
        for row, reviewer in enumerate(found.reviewers)
        for column, number in enumerate(found.numbers)
        if found.verdicts[row, column] != NONE
    }
    assert got == {
        key: min(verdict, INCLUDE) for key, verdict in expected.items() if present[key] != NONE
    }
