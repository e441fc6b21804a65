"""Signals as something to wait for: no exception can break into a half-done start or stop."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Self

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, counts requests to stop and wakes `wait` for them and for dead children.

    Works in the main thread only, as Python's signal handlers do.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self.hurry = False
        self._before: dict[signal.Signals, Any] = {}
        self._wakeup_before = -1
        self._read_end = self._write_end = -1

    def __enter__(self) -> Self:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for number in _STOP:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started by nohup: a closing terminal shall not end it
            self._before[number] = signal.signal(number, self._request)
        # A handler must be there, or the system does not tell of dead children at all.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _nothing)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read_end)
        os.close(self._write_end)

    def wait(self, seconds: float) -> None:
        """Return when a signal has come, also one from before the call, or after `seconds`."""
        if select.select([self._read_end], [], [], max(0.0, seconds))[0]:
            os.read(self._read_end, 4096)

    def _request(self, number: int, _: FrameType | None) -> None:
        # A closing terminal sends several signals at once; only an impatient person's second
        # Ctrl-C means "faster".
        self.hurry = self.hurry or (self.stop_requested and number == signal.SIGINT)
        self.stop_requested = True


def _nothing(_: int, __: FrameType | None) -> None:
    pass
