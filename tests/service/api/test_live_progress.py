"""Running work tells pages how far it is, by the way: in no log, without a number."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engines import Broker
from service.live import Live, Message, listed, listen, serve, take
from tandem.config import Settings
from tandem.events.progress import ImportProgress, RankingProgress
from tandem.ids import ImportId, new_id
from tandem.records.models import Import, ImportState, ImportStep
from tandem.tasks import PROGRESS_SECONDS, TaskSignals
from tandem_worker import progress
from world import Team, World


@pytest.fixture
def live(settings: Settings, broker: Broker) -> Iterator[Live]:
    with serve(settings.model_copy(update={"redis_url": broker.url})) as running:
        yield running


def running(team: Team, n_read: int, step: ImportStep = ImportStep.READING) -> Import:
    return Import(
        id=ImportId(_IMPORT),
        review_id=team.review_id,
        state=ImportState.RUNNING,
        step=step,
        n_read=n_read,
        n_total=900,
        n_added=n_read,
        n_duplicates=0,
        n_rejected=0,
    )


_IMPORT = new_id()
STARTED = RankingProgress(ranking="started")


def until(messages: Iterator[Message], type: str) -> Message:
    return next(message for message in messages if message.get("event") == type)


@pytest.mark.parametrize("role", ["owner", "ann", "observer"])
def test_every_member_gets_the_progress_of_an_import(
    role: str, live: Live, world: World, task_signals: TaskSignals
) -> None:
    team = world.team()
    who = getattr(team, role)
    with listen(live, team, who) as messages:
        take(messages, len(listed(live, team, who)))
        progress.of_import(task_signals, running(team, 60))
        answer = until(messages, ImportProgress.type)

    assert "id" not in answer, "a client that resumes begins behind the last event of the log"
    data = json.loads(answer["data"])
    assert (data["import_id"], data["n_read"], data["n_total"]) == (str(_IMPORT), 60, 900)
    assert (data["state"], data["step"]) == ("running", "reading")


def test_events_and_news_come_beside_each_other(
    live: Live, world: World, task_signals: TaskSignals
) -> None:
    team = world.team()
    with listen(live, team, team.owner) as messages:
        take(messages, len(listed(live, team, team.owner)))
        progress.of_ranking(task_signals, team.review_id, STARTED)
        answer = until(messages, RankingProgress.type)
        assert json.loads(answer["data"]) == {"ranking": "started", "step": None, "percent": None}
        live.put(team, team.ann, 1)
        task_signals.changed(team.review_id)
        decided = until(messages, "tandem.decision.recorded")

    assert decided["id"] == str(listed(live, team, team.owner)[-1]["sequence"])


def test_others_hear_nothing(live: Live, world: World, task_signals: TaskSignals) -> None:
    team, other = world.team(), world.team()
    with listen(live, other, other.owner) as messages:
        take(messages, len(listed(live, other, other.owner)))
        progress.of_import(task_signals, running(team, 60))
        progress.of_ranking(task_signals, other.review_id, STARTED)
        first = next(messages)

    assert first["event"] == RankingProgress.type


class Sent(TaskSignals):
    """Notes what would be sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self._last_progress = {}

    def _put(self, key: tuple[str, str], send: object, every: float = 0.0) -> None:
        self.messages.append(key)


def test_progress_is_sent_a_few_times_a_second_and_at_once_when_the_step_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("tandem.tasks.time.monotonic", lambda: clock[0])
    team, sent = world.team(), Sent()
    for n_read in range(100):
        clock[0] += 0.01
        progress.of_import(sent, running(team, n_read))
    assert 1 <= len(sent.messages) <= 1 + timedelta(seconds=1).total_seconds() / PROGRESS_SECONDS

    before = len(sent.messages)
    progress.of_import(sent, running(team, 100, ImportStep.LINKING))
    assert len(sent.messages) == before + 1
