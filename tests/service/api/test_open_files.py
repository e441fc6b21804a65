"""Thousands of event streams: the API does not stop at the few files that shells allow."""

import resource
from collections.abc import Iterator

import pytest

from tandem_api.server import MOST_FILES, allow_many_connections

KIND = resource.RLIMIT_NOFILE
LIKE_A_SHELL = 1024


@pytest.fixture
def hard() -> Iterator[int]:
    """Give this process the limit of a shell; return what the system would allow."""
    soft, hard = resource.getrlimit(KIND)
    resource.setrlimit(KIND, (LIKE_A_SHELL, hard))
    yield hard
    resource.setrlimit(KIND, (soft, hard))


def test_the_limit_is_raised(hard: int) -> None:
    allow_many_connections()

    possible = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    assert resource.getrlimit(KIND) == (possible, hard)


def test_a_higher_one_stays(hard: int) -> None:
    if hard != resource.RLIM_INFINITY and hard <= MOST_FILES:
        pytest.skip("this system allows no more")
    resource.setrlimit(KIND, (MOST_FILES + 1, hard))

    allow_many_connections()

    assert resource.getrlimit(KIND)[0] == MOST_FILES + 1
