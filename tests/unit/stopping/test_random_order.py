"""The order in which audits draw. Certificates rest on it: it may never change."""

import hashlib

import numpy as np
import pytest

from tandem.reviews.policy import Stage
from tandem.stopping.random_order import key, new_seed, order, seal

SEED = bytes(range(32))
STAGE = Stage.TITLE_ABSTRACT


def test_it_is_what_it_was_when_the_first_certificates_were_given() -> None:
    assert order(SEED, STAGE, 10).tolist() == [1, 5, 7, 9, 8, 4, 6, 10, 3, 2]
    assert key(SEED, STAGE, 1) == 3424865109687597103
    digest = hashlib.blake2b(b"draw/title_abstract/1", digest_size=8, key=SEED).digest()
    assert key(SEED, STAGE, 1) == int.from_bytes(digest, "big")


def test_the_seal_names_what_is_drawn_from() -> None:
    assert seal(SEED, STAGE, 10) == (
        "3db3aef6724025b23376ea9c2358012da858cdf156c8729dad4b6265ea4af3dc"
    )
    others = {seal(SEED, STAGE, 11), seal(SEED, Stage.FULL_TEXT, 10), seal(SEED[::-1], STAGE, 10)}
    assert len(others | {seal(SEED, STAGE, 10)}) == 4


def test_each_number_comes_once_and_later_ones_move_no_earlier_one() -> None:
    small, large = order(SEED, STAGE, 200), order(SEED, STAGE, 300)
    assert sorted(small.tolist()) == [*range(1, 201)]
    assert large[large <= 200].tolist() == small.tolist()


def test_stages_and_seeds_have_orders_of_their_own() -> None:
    orders = {
        tuple(order(seed, stage, 50).tolist())
        for seed in (SEED, SEED[::-1])
        for stage in (STAGE, Stage.FULL_TEXT)
    }
    assert len(orders) == 4


def test_what_is_kept_for_others_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        order(SEED, STAGE, 10)[0] = 3


def test_every_record_is_as_likely_at_every_place() -> None:
    """5 records, 2,000 seeds: each at each place 400 times, give or take five deviations of 18."""
    counts = np.zeros((5, 5))
    for n in range(2000):
        drawn = order(n.to_bytes(32, "big"), STAGE, 5)
        counts[np.arange(5), drawn - 1] += 1
    assert counts.min() > 310
    assert counts.max() < 490


def test_seeds_differ() -> None:
    assert len({new_seed() for _ in range(50)}) == 50
    assert len(new_seed()) == 32
