from tandem.reviews.models import Role


def test_roles_have_an_order() -> None:
    order = [Role.OWNER, Role.ADJUDICATOR, Role.REVIEWER, Role.OBSERVER]
    for at, role in enumerate(order):
        assert [role.reaches(other) for other in order] == [False] * at + [True] * (4 - at)
