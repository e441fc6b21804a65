"""Notes when sessions and tokens were used, without a write for each request."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from tandem.accounts import sessions
from tandem.accounts.access import Access
from tandem.db.base import now
from tandem.db.session import Database
from tandem.db.turns import Busy
from tandem.ids import TokenId
from tandem.log import logger

_TOGETHER_SECONDS = 5.0
"""Uses of so many seconds are written at once."""

_log = logger(__name__)


class Uses:
    """Collects uses in this process and writes them together. Lives in the event loop."""

    def __init__(self, database: Database, *, idle: timedelta) -> None:
        self._database, self._idle = database, idle
        self._sessions: dict[UUID, datetime] = {}
        self._tokens: dict[TokenId, datetime] = {}
        self._noted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._keep_writing(), name="note-uses")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.write()

    def note(self, access: Access) -> None:
        """Remember a use if the last one that is known is some minutes old; from any thread."""
        if not access.is_to_be_noted or self._loop is None:
            return
        if access.session_id is not None:
            self._sessions[access.session_id] = now()
        if access.token_id is not None:
            self._tokens[access.token_id] = now()
        self._loop.call_soon_threadsafe(self._noted.set)

    async def write(self) -> None:
        """Write down what was noted. What cannot be written now is noted at the next use."""
        used, self._sessions = self._sessions, {}
        tokens, self._tokens = self._tokens, {}
        if used or tokens:
            try:
                await run_in_threadpool(self._write, used, tokens)
            except (SQLAlchemyError, Busy) as error:
                _log.warning("last uses were not written", error=str(error))

    def _write(self, used: dict[UUID, datetime], tokens: dict[TokenId, datetime]) -> None:
        with self._database.write.begin() as session:
            sessions.note_use(session, sign_ins=used, tokens=tokens, idle=self._idle)

    async def _keep_writing(self) -> None:
        while True:
            await self._noted.wait()
            await asyncio.sleep(_TOGETHER_SECONDS)
            self._noted.clear()
            await self.write()
