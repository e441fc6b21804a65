"""The way from a browser to a server, which a test can cut."""

import asyncio
import threading
from contextlib import suppress


class Line:
    """The way to the server, which can be cut: what the browser sends then arrives nowhere.

    A browser that only plays being offline still sends what a closing page leaves behind.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(ready)))
        self._thread.start()
        ready.wait()

    def cut(self, is_cut: bool) -> None:
        async def work() -> None:
            self._is_cut = is_cut
            if is_cut:
                self._close_all()

        asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def close(self) -> None:
        self.cut(is_cut=True)
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _main(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await self._over.wait()
        server.close()
        # A connection that nobody closes fails whatever test runs when it is found.
        while carrying := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(carrying)

    def _close_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _carry(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        ends = [back]
        self._open.add(back)
        try:
            if not self._is_cut:
                there, onward = await asyncio.open_connection("127.0.0.1", self._port)
                ends.append(onward)
                self._open.add(onward)
                if not self._is_cut:  # meanwhile
                    await asyncio.gather(_pour(here, onward), _pour(there, back))
        finally:
            for end in ends:
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()
                self._open.discard(end)


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Send on what comes until one of both is closed; then close the target, which ends both."""
    with suppress(ConnectionError):
        while part := await source.read(65536):
            target.write(part)
            await target.drain()
    target.close()
