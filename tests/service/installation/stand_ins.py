"""Small processes in place of the real ones, and ways to see what became of them."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DEADLINE = 150.0

CHILD = """
import os, pathlib, signal, socket, subprocess, sys
folder, name, *traits = sys.argv[1:]
folder = pathlib.Path(folder)

def note(text):
    with open(folder / "events", "a") as events:
        events.write(f"{name} {text}\\n")

def stop(*_):
    if "asks-broker" in traits:
        with socket.socket(socket.AF_UNIX) as broker:
            broker.connect(os.environ["BROKER"])
            broker.sendall(b"PING\\r\\n")
            note("heard " + broker.recv(16).decode().strip())
    note("stopped")
    sys.exit(0)

signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in traits else stop)
if "parent" in traits:
    sleep = "import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", sleep, str(folder), name + "-grandchild"])
note("started")
if "mortal" in traits:
    sys.exit(3)
while True:
    signal.pause()
"""


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    args: str


def processes() -> list[Process]:
    """All living processes; one that nobody has reaped yet is dead."""
    if not Path("/proc/self/stat").exists():
        return _processes_by_ps()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            args = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state not in "ZX":
            found.append(Process(int(folder.name), int(parent), args))
    return found


def _processes_by_ps() -> list[Process]:
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split(None, 3) for line in lines]
    return [
        Process(int(pid), int(parent), args)
        for pid, parent, state, args in rows
        if "Z" not in state
    ]


def living(*words: str) -> list[Process]:
    """Processes other than this one whose command line has all the words."""
    return [
        process
        for process in processes()
        if process.pid != os.getpid() and all(word in process.args for word in words)
    ]


def until(condition: Callable[[], object], what: str, *, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody has.

    It lies below those that the system gives to each connection that asks for any: one of these
    could be gone before who is told of it takes it.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def broker_pid(path: Path) -> int | None:
    """The process that answers on a broker's socket, or None if there is none."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"INFO server\r\n")
            answer = connection.recv(8192).decode()
        except OSError:
            return None
    return int(answer.partition("process_id:")[2].split()[0])


class Run:
    """A program under test, its output in files, its folder in the arguments of its children."""

    def __init__(self, folder: Path, program: str, *arguments: str, **variables: str) -> None:
        self.folder = folder
        self.stdout = folder / "stdout"
        self.stderr = folder / "stderr"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "TANDEM_LOG_FORMAT": "json", **variables},
            )

    def says(self, text: str) -> bool:
        return text in self.stdout.read_text()

    def logs(self, text: str) -> bool:
        return text in self.stderr.read_text()

    def events(self) -> list[str]:
        file = self.folder / "events"
        return file.read_text().splitlines() if file.exists() else []

    def wait(self) -> int:
        return self.process.wait(timeout=DEADLINE)

    def guard(self) -> int:
        """The process id of the guard; fails if there is none."""
        (pid,) = [p.pid for p in living("guard_program.py") if p.parent == self.process.pid]
        return pid

    def pid_of(self, *words: str) -> int:
        (process,) = living(str(self.folder), *words)
        return process.pid

    def nothing_left(self) -> bool:
        return not living(str(self.folder))

    def clean_up(self) -> None:
        """Whatever the outcome of the test, leave nothing behind; fail if something is left."""
        self.process.kill()
        self.process.wait()
        try:
            until(self.nothing_left, "the guard has ended everything")
        finally:
            for process in living(str(self.folder)):
                os.kill(process.pid, signal.SIGKILL)
