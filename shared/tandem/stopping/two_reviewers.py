"""What two independent reviewers missed, from how far their includes overlap."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class TeamSensitivity:
    """How much of what is relevant each includes, if their errors are independent.

    Too high where errors go together. None where it cannot be said.

    Attributes:
        first: The first reviewer's sensitivity, m / n2, in [0, 1].
        second: The second's, m / n1.
        team: That one of both includes a record, 1 − (1 − first)(1 − second).
        total: Chapman's estimate of all includes, (n1 + 1)(n2 + 1) / (m + 1) − 1.
        missed: Those of them that neither found, ≥ 0.
        variance: Of `total`: (n1+1)(n2+1)(n1−m)(n2−m) / ((m+1)²(m+2)). Source: Seber 1970.
    """

    first: Fraction | None
    second: Fraction | None
    team: Fraction | None
    total: Fraction
    missed: Fraction
    variance: Fraction


def sensitivity(*, first: int, second: int, both: int) -> TeamSensitivity:
    """Return what the overlap of two reviewers' includes says.

    Args:
        first: Records that the first includes, n1 ≥ both.
        second: Records that the second includes, n2 ≥ both.
        both: Records that both include, m ≥ 0.
    """
    one = Fraction(both, second) if both else None
    two = Fraction(both, first) if both else None
    team = None if one is None or two is None else 1 - (1 - one) * (1 - two)
    pairs = (first + 1) * (second + 1)
    total = Fraction(pairs, both + 1) - 1
    return TeamSensitivity(
        one,
        two,
        team,
        total,
        missed=total - (first + second - both),
        variance=Fraction(pairs * (first - both) * (second - both), (both + 1) ** 2 * (both + 2)),
    )
