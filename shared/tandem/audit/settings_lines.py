"""Lines about a review's policies, criteria and texts, compared with its log. Pure."""

from collections.abc import Mapping
from typing import Any

from tandem.audit.differences import Difference, Differs
from tandem.audit.settings import Settings
from tandem.reviews.policy import stored


def policy(settings: Settings, found: Mapping[str, Any]) -> None:
    """Compare a version of a stage's policy.

    Raises:
        Differs: The log has another one, or none.
    """
    stage, version = found["policy"], found["version"]
    what = f"version {version} of the policy for {stage}"
    logged = settings.policies.get(stage, [])
    if not 1 <= version <= len(logged):
        raise Differs(Difference(what, f"the log has {len(logged)} versions"))
    due = logged[version - 1]
    if stored(found["value"]) != due.value:
        follows = f"the log has {due.value.model_dump(mode='json')}"
        raise Differs(Difference(f"{what} is {found['value']}", follows))
    if found["by"] != due.by:
        raise Differs(Difference(f"{what} is by {found['by']}", f"it is by {due.by}"))


def criteria(settings: Settings, found: Mapping[str, Any]) -> None:
    """Compare a version of the criteria, as far as the log holds it.

    Raises:
        Differs: The log has another one, or none.
    """
    version = found["criteria"]
    if not 1 <= version <= (n := len(settings.criteria)):
        says = f"version {version} of the criteria"
        raise Differs(Difference(says, f"the log has {n} versions"))
    for name, due in settings.criteria[version - 1].items():
        if found[name] != due:
            says = f"that {name} of version {version} of the criteria is {found[name]!r}"
            raise Differs(Difference(says, f"the log has {due!r}"))


def texts(settings: Settings, found: Mapping[str, Any]) -> None:
    """Compare the review's present texts, as far as the log holds them.

    Raises:
        Differs: The log has another text, or another version of the criteria.
    """
    for name, due in settings.texts.items():
        if found["texts"][name] != due:
            says = f"that the review's {name} is {found['texts'][name]!r}"
            raise Differs(Difference(says, f"the log has {due!r}"))
    if (given := found["criteria_version"]) != (n := len(settings.criteria)):
        raise Differs(Difference(f"version {given} of the criteria is the newest", f"{n} is"))


def expected(settings: Settings) -> set[tuple[str, object]]:
    """Return the lines that a trail must have about these, as pairs of kind and key."""
    policies = {
        ("policy", (stage, version))
        for stage, logged in settings.policies.items()
        for version in range(1, len(logged) + 1)
    }
    versions = {("criteria", version) for version in range(1, len(settings.criteria) + 1)}
    return {*policies, *versions, ("texts", None)}
