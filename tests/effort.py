"""How much the tests try: a small budget in `make test`, the whole one in `make soak`.

A test that thinks up its own input (a state machine, a property) is never left out. It only tries
fewer examples in `make test`, other ones in each run.
"""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings

T = TypeVar("T")
SOAK, QUICK = "soak", "quick"
_PART = 16
"""`make test` tries one example in this many, other ones each time; a soak tries them all."""


def register() -> None:
    """Define the two Hypothesis profiles. `pytest --hypothesis-profile soak` takes the whole one.

    How long an example takes says how busy the machine is, so there is no deadline; pytest's own
    timeout stops what never ends.
    """
    checks = [HealthCheck.too_slow]
    settings.register_profile(SOAK, deadline=None, suppress_health_check=checks)
    settings.register_profile(
        QUICK, deadline=None, suppress_health_check=checks, max_examples=examples(100)
    )


def is_soak() -> bool:
    return settings.get_current_profile_name() == SOAK


def examples(full: int) -> int:
    """Return how many examples to try of those that a soak tries."""
    return full if is_soak() else max(2, full // _PART)


def part(everything: list[T]) -> list[T]:
    """Return what to try of a list that a soak tries whole: each fifth."""
    return everything if is_soak() else everything[::5]


def machine(*, full: int, steps: int) -> settings:
    """Return the settings of a state machine that takes up to `steps` steps in each example."""
    return settings(
        max_examples=examples(full),
        stateful_step_count=steps,
        # Not made smaller: that takes minutes, and so few steps can be read.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
