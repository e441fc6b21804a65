"""What an API process holds."""

from dataclasses import dataclass

from fastapi import Request

from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.operations.storage import Watch
from tandem.tasks import TaskSignals
from tandem_api.hashing import Passwords
from tandem_api.streams import EventStreams
from tandem_api.uses import Uses


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    database: Database
    artifacts: Artifacts
    task_signals: TaskSignals
    event_streams: EventStreams
    storage: Watch
    passwords: Passwords
    uses: Uses


def runtime(request: Request) -> Runtime:
    found: Runtime = request.app.state.runtime
    return found
