"""What tests of use cases share: who imports and ranks, who listens, a review with a webhook."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.failing_work import Poison
from service.domain.hooks import Hook, with_webhook
from service.domain.importing import Importer
from service.domain.linking import Duplicates
from service.domain.ranked_review import RankedReview
from service.domain.receivers import Receiver, listening
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ranking import from_ledger
from world import Team, World


@pytest.fixture
def importer(world: World, settings: Settings) -> Importer:
    return Importer(world, Artifacts(settings.resolved_artifact_url()))


@pytest.fixture
def duplicates(world: World, team: Team) -> Duplicates:
    """Of the review that the file's own `team` screens."""
    return Duplicates(world, team)


@pytest.fixture
def ranked_review(database: Database, tmp_path: Path) -> RankedReview:
    return RankedReview(database, Artifacts(str(tmp_path / "artifacts")), tmp_path / "cache")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        yield running


@pytest.fixture
def hook(world: World, receiver: Receiver) -> Hook:
    return with_webhook(world, receiver)


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every training end in `Poison`."""

    def fail(*_: object, **__: object) -> None:
        raise Poison("the third record is too much\n[SQL: and this is nobody's business]")

    monkeypatch.setattr(from_ledger, "rank_review", fail)
