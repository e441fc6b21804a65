"""Who settles a conflict of reasons, and is not shown them, cannot find out what they are."""

from pathlib import Path

import pytest

from service.api.hidden_votes import Voting, answers, build, close
from service.api.world_requests import R, Said, every_read

pytestmark = pytest.mark.usefixtures("still_clock")


def give_reasons(voting: Voting, ben: str) -> None:
    """Let both exclude records 1 to 3, Ann for one reason and Ben for another, which is hidden."""
    for number in (1, 2, 3):
        voting.decide(voting.team.ann, number, "exclude", reasons=["population"])
        voting.decide(voting.team.ben, number, "exclude", reasons=[ben])


@pytest.mark.parametrize("sees", ["nothing", "all"])
@pytest.mark.parametrize("resolution", ["adjudicator", "consensus"])
def test_who_settles_a_conflict_of_reasons_unseen_cannot_find_them_out(
    sees: str,
    resolution: str,
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither by reading nor by trying which reason is accepted."""
    policy: Said = {
        "adjudicator_sees": sees,
        "reasons_must_match": True,
        "resolution": resolution,
    }
    reasons = ("age", "design")
    worlds = [
        build(tmp_path / ben, migrated_sqlite, policy, ben, monkeypatch, give_reasons)
        for ben in reasons
    ]
    asked = [
        *(one for one in every_read() if one[1] != "/metrics"),
        *(("GET", f"{R}/conflicts/{{c{number}}}", None) for number in (1, 2, 3)),
        *(
            (
                "POST",
                f"{R}/conflicts/{{c1}}/resolution?dry_run=true",
                {"verdict": "exclude", "reasons": [reason]},
            )
            for reason in ("population", *reasons)
        ),
    ]
    one, other = (answers(made, "judge", asked) for made in worlds)
    for made in worlds:
        close(made)

    assert [status for _, status, *_ in one[-6:-3]] == [200] * 3  # there are such conflicts
    differing = [first for first, second in zip(one, other, strict=True) if first != second]
    assert bool(differing) == (sees == "all"), differing[:3]
