"""From whom votes are hidden although they see statuses."""

import pytest

from tandem.ids import ReviewId, UserId, new_id
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import hides_votes
from tandem.screening.rules import Status

TA = Stage.TITLE_ABSTRACT


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("sees", ["nothing", "anonymous", "all"])
@pytest.mark.parametrize("blind", [True, False])
def test_votes_are_hidden_from_who_settles_until_the_record_is_settled(
    status: Status | None, role: Role, sees: str, blind: bool
) -> None:
    policy = Policy.model_validate({"adjudicator_sees": sees, "blind": blind})
    viewer = Viewer(ReviewId(new_id()), UserId(new_id()), role, {TA: policy})

    is_hidden = (
        role in (Role.ADJUDICATOR, Role.OWNER)
        and blind
        and sees != "all"
        and status not in (Status.INCLUDED, Status.EXCLUDED)
    )
    assert hides_votes(viewer, TA, status) is is_hidden
