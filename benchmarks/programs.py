"""Programs beside the installation, such as a user runs: killed at times, and started again."""

import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

_PAUSE_SECONDS = 0.2


class Program:
    """Runs a program until it is stopped, and starts it again whenever it has ended.

    Args:
        name: Of its log in `folder`.
        command: What is run, in `folder`.
        folder: Where.
        env: Its environment.
        input_line: A line that it is given on its standard input at each start.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        env: dict[str, str],
        input_line: str = "",
    ) -> None:
        self.lines: list[tuple[float, str]] = []
        """What it said on its standard output, each with the monotonic moment."""
        self.ends: Counter[int] = Counter()
        """How it ended, by exit status; a negative one is a signal."""
        self._name, self._command, self._folder = name, list(command), folder
        self._env, self._input_line = env, input_line
        self._running: subprocess.Popen[str] | None = None
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ended_by_itself(self) -> int:
        return self.ends.total() - self.ends[-signal.SIGKILL]

    def kill(self) -> None:
        """End it as a power cut would; it is started again a moment later."""
        with self._guard:
            if self._running is not None and self._running.poll() is None:
                self._running.kill()

    def stop(self) -> None:
        self._stopping.set()
        self.kill()
        self._thread.join()

    def tell(self, line: str) -> None:
        """Write a line to its standard input, now and at each later start."""
        with self._guard:
            self._input_line += f"{line}\n"
            if self._running is not None:
                self._write(self._running, f"{line}\n")

    def _run(self) -> None:
        with (self._folder / f"{self._name}.log").open("a") as log:
            while not self._stopping.is_set():
                with self._guard:
                    process = self._running = subprocess.Popen(
                        self._command,
                        env=self._env,
                        cwd=self._folder,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        text=True,
                    )
                    self._write(process, self._input_line)
                if process.stdout is None:
                    raise AssertionError("it was opened with a pipe")
                for line in process.stdout:
                    if line.endswith("\n"):  # else it was killed in the middle of it
                        self.lines.append((time.monotonic(), line.rstrip("\n")))
                status = process.wait()
                if not self._stopping.is_set():
                    self.ends[status] += 1
                self._stopping.wait(_PAUSE_SECONDS)

    @staticmethod
    def _write(process: "subprocess.Popen[str]", text: str) -> None:
        if process.stdin is None:
            raise AssertionError("it was opened with a pipe")
        try:
            process.stdin.write(text)
            process.stdin.flush()
        except BrokenPipeError:
            return  # it has just ended, and gets the line at its next start
