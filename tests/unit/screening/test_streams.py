from collections import Counter
from functools import partial
from hashlib import blake2b
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from tandem.ids import UserId
from tandem.reviews.policy import Stage
from tandem.screening import streams
from tandem.screening.streams import BLOCK, Stream

TA = Stage.TITLE_ABSTRACT
SEEDS = range(2000)

seeds = st.integers(-(2**63), 2**63 - 1)
stages = st.sampled_from(Stage)
people = st.uuids().map(UserId)


def assert_uniform(counts: Counter[int], n_kinds: int) -> None:
    """Check that so uneven a count would come by chance more than once in a thousand times."""
    expected = counts.total() / n_kinds
    statistic = sum((counts[kind] - expected) ** 2 / expected for kind in counts)
    statistic += expected * (n_kinds - len(counts))
    assert len(counts) <= n_kinds
    assert chi2.sf(statistic, n_kinds - 1) > 0.001


class TestRandomStream:
    def test_anybody_can_recompute_a_key(self) -> None:
        by_hand = blake2b(
            b"random/title_abstract/17", digest_size=8, key=b"\0\0\0\0\0\0\0\x2a"
        ).digest()

        assert streams.random_stream_key(42, TA, 17) == int.from_bytes(by_hand, "big")

    def test_keys_never_change(self) -> None:
        """Reviews under way depend on them."""
        assert streams.random_stream_key(1, TA, 1) == 8956209982753329178
        assert streams.random_stream(1, TA, 10).tolist() == [9, 8, 1, 4, 10, 7, 2, 5, 3, 6]

    @given(seed=seeds, stage=stages, n=st.integers(0, 60))
    def test_it_holds_every_record_once_the_smallest_key_first(
        self, seed: int, stage: Stage, n: int
    ) -> None:
        stream = streams.random_stream(seed, stage, n).tolist()

        assert stream == sorted(
            range(1, n + 1), key=lambda number: streams.random_stream_key(seed, stage, number)
        )

    @given(seed=seeds, n=st.integers(0, 60), more=st.integers(0, 60))
    def test_later_records_take_their_places_among_the_earlier(
        self, seed: int, n: int, more: int
    ) -> None:
        longer = streams.random_stream(seed, TA, n + more).tolist()

        assert [number for number in longer if number <= n] == streams.random_stream(
            seed, TA, n
        ).tolist()

    def test_however_many_records_there_are(self) -> None:
        stream = streams.random_stream(5, TA, 10_000)

        assert np.array_equal(np.sort(stream), np.arange(1, 10_001))
        assert not stream.flags.writeable

    def test_stages_and_reviews_have_different_ones(self) -> None:
        made = [(5, TA), (5, Stage.FULL_TEXT), (6, TA)]

        assert len({tuple(streams.random_stream(*which, 20).tolist()) for which in made}) == 3

    @pytest.mark.parametrize("place", [0, 7, 19])
    def test_each_record_is_as_likely_at_any_place(self, place: int) -> None:
        # By the keys, which are its order (above): the stream itself makes thousands of them.
        def order(seed: int) -> list[int]:
            return sorted(range(1, 21), key=partial(streams.random_stream_key, seed, TA))

        assert order(3) == streams.random_stream(3, TA, 20).tolist()
        assert_uniform(Counter(order(seed)[place] for seed in SEEDS), 20)

    @given(number=st.integers(1, 2**31 - 1))
    def test_keys_of_a_record_are_uniform_over_reviews(self, number: int) -> None:
        tenths = Counter(
            streams.random_stream_key(seed, TA, number) * 10 // 2**64 for seed in range(500)
        )

        assert tenths.keys() == set(range(10))
        assert max(tenths.values()) < 100  # expected 50, standard deviation 6.7


class TestKindOfPick:
    @given(seed=seeds, stage=stages, person=people, block=st.integers(0, 10_000))
    def test_each_block_of_twenty_has_one_random_and_twelve_half_done(
        self, seed: int, stage: Stage, person: UserId, block: int
    ) -> None:
        first = block * BLOCK + 1
        kinds = [
            streams.kind_of_pick(seed, stage, person, pick) for pick in range(first, first + BLOCK)
        ]

        assert Counter(kinds) == {Stream.RANDOM: 1, Stream.HALF_DONE: 12, Stream.RANKING: 7}

    @pytest.mark.parametrize(("kind", "per_block"), [(Stream.RANDOM, 1), (Stream.RANKING, 7)])
    def test_each_place_is_as_likely(self, kind: Stream, per_block: int) -> None:
        person = UserId(UUID(int=7))
        places = Counter(
            pick % BLOCK
            for pick in range(1, 2000 * BLOCK + 1)
            if streams.kind_of_pick(3, TA, person, pick) is kind
        )

        assert places.total() == 2000 * per_block
        assert_uniform(places, BLOCK)

    def test_reviewers_and_reviews_differ(self) -> None:
        def kinds(seed: int, person: int) -> list[Stream]:
            someone = UserId(UUID(int=person))
            return [streams.kind_of_pick(seed, TA, someone, pick) for pick in range(1, 41)]

        assert kinds(1, 1) == kinds(1, 1)
        assert kinds(1, 1) != kinds(1, 2)
        assert kinds(1, 1) != kinds(2, 1)


def test_reviewers_have_orders_of_their_own() -> None:
    def order(person: int) -> list[int]:
        someone = UserId(UUID(int=person))
        return sorted(range(30), key=lambda n: streams.own_place(1, TA, someone, n + 1, n))

    assert len({tuple(order(person)) for person in range(50)}) == 50


@given(st.integers(0, 2**62), st.integers(1, 1000), st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_record_is_delayed_by_less_than_the_spread_and_always_as_much(
    seed: int, person: int, number: int, place: int
) -> None:
    def delay(place: int) -> float:
        return streams.own_place(seed, TA, UserId(UUID(int=person)), number, place) - place

    assert 0 <= delay(place) <= streams.SPREAD
    assert delay(place) == pytest.approx(delay(0), abs=1e-6)


def test_delays_are_uniform() -> None:
    someone = UserId(UUID(int=1))
    delays = [streams.own_place(1, TA, someone, number, 0) for number in range(2000)]
    assert_uniform(Counter(int(delay) for delay in delays), streams.SPREAD)


@pytest.mark.parametrize(
    ("n_records", "cap"), [(0, 200), (50, 200), (2000, 200), (2010, 201), (100_000, 10_000)]
)
def test_the_cap_is_a_tenth_but_at_least_two_hundred(n_records: int, cap: int) -> None:
    assert streams.half_done_cap(n_records) == cap
