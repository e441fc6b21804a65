"""The supervisor's promises, with real processes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.installation.stand_ins import Run, living, until
from tandem.installation.children import describe_status, next_delay
from tandem.installation.guard_program import leader_lives

Supervise = Callable[..., Run]


def test_the_delay_doubles_up_to_ten_seconds() -> None:
    delays = [0.0]
    while len(delays) < 9:
        delays.append(next_delay(delays[-1], lived=1.0))
    assert delays[1:] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])


def test_the_delay_is_short_again_after_a_good_life() -> None:
    assert next_delay(10.0, lived=29.9) == 10.0
    assert next_delay(10.0, lived=30.0) == 0.2


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit status 0"), (3, "exit status 3"), (-9, "killed by SIGKILL")]
)
def test_an_exit_status_is_named(code: int, text: str) -> None:
    assert describe_status(code) == text


def test_a_number_that_was_given_to_somebody_else_is_no_leader() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        assert not leader_lives(stranger.pid)  # it lives, but in our session
    assert not leader_lives(stranger.pid)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_in_reverse_order(supervise: Supervise, number: signal.Signals) -> None:
    run = supervise("broker:last", "api", "worker:parent", "relay")
    until(lambda: run.says("ready"), "all are started")
    run.process.send_signal(number)
    assert run.wait() == 0
    assert run.says("ended")
    assert run.events() == [
        *(f"{name} started" for name in ("broker", "api", "worker", "relay")),
        *(f"{name} stopped" for name in ("relay", "worker", "api", "broker")),
    ]
    assert run.nothing_left()


@pytest.mark.processes
def test_the_broker_serves_until_the_others_have_ended(supervise: Supervise) -> None:
    run = supervise("valkey", "worker:asks-broker")
    until(lambda: run.says("ready"), "all are started")
    run.process.terminate()
    assert run.wait() == 0
    assert run.events() == ["worker started", "worker heard +PONG", "worker stopped"]


@pytest.mark.processes
def test_a_dead_child_is_reported_and_replaced_with_its_remains_gone(supervise: Supervise) -> None:
    run = supervise("api", "worker:parent")
    until(lambda: run.says("ready"), "all are started")
    first, orphan = run.pid_of(" worker parent"), run.pid_of("worker-grandchild")
    os.kill(first, signal.SIGKILL)
    until(lambda: run.events().count("worker started") == 2, "the worker is started again")
    assert run.logs("killed by SIGKILL")
    until(lambda: orphan not in [p.pid for p in living()], "the remains are gone")
    until(lambda: len(living(str(run.folder), "worker-grandchild")) == 1, "it has a new one")
    assert run.events().count("api started") == 1


@pytest.mark.processes
def test_a_child_that_always_dies_is_tried_again_more_and_more_slowly(supervise: Supervise) -> None:
    run = supervise("relay:mortal")
    until(lambda: run.events().count("relay started") == 4, "it was started four times")
    delays = re.findall(r'"in_seconds": ([0-9.]+)', run.stderr.read_text())
    assert delays[:3] == ["0.2", "0.4", "0.8"]
    assert run.logs("exit status 3")


@pytest.mark.processes
def test_one_that_does_not_listen_is_killed(supervise: Supervise) -> None:
    run = supervise("broker:last", "worker:stubborn:parent")
    until(lambda: run.says("ready"), "all are started")
    run.process.terminate()
    assert run.wait() == 0
    assert run.logs('"killing"')
    assert run.events()[-1] == "broker stopped"
    assert run.nothing_left()


@pytest.mark.processes
def test_ctrl_c_during_the_start_stops_what_is_started(
    supervise: Supervise, tmp_path: Path
) -> None:
    slow = tmp_path / "never.py"
    slow.write_text("import signal; signal.pause()\n")
    run = supervise("api", STAND_IN_ENTRY=str(slow))
    until(lambda: living(str(slow)), "the start is under way")
    run.process.send_signal(signal.SIGINT)
    assert run.wait() == 0
    assert not run.says("ready")
    assert run.nothing_left()


@pytest.mark.processes
def test_nothing_survives_a_killed_supervisor(supervise: Supervise) -> None:
    run = supervise("valkey", "api:asks-broker", "worker:parent", "relay:stubborn")
    until(lambda: run.says("ready"), "all are started")
    run.process.kill()
    run.wait()
    until(run.nothing_left, "all groups are gone", seconds=8)
    assert {"api heard +PONG", "worker stopped"} <= set(run.events())  # asked, broker still there
    assert run.logs("the supervisor was killed")


@pytest.mark.processes
def test_nothing_survives_when_the_worker_was_killed_just_before(supervise: Supervise) -> None:
    run = supervise("broker:last", "worker:parent")
    until(lambda: run.says("ready"), "all are started")
    worker = run.pid_of(" worker parent")
    run.process.send_signal(signal.SIGSTOP)  # it cannot bury the worker
    os.kill(worker, signal.SIGKILL)
    run.process.kill()
    run.wait()
    until(run.nothing_left, "the remains of the worker are gone, too", seconds=8)


@pytest.mark.processes
@pytest.mark.parametrize("nth", [2, 3, 4])  # the first is the guard
def test_nothing_survives_a_supervisor_killed_between_fork_and_registration(
    supervise: Supervise, tmp_path: Path, nth: int
) -> None:
    # The entry is made slow: its supervisor is dead long before it registers.
    source = Path(__file__).parents[3] / "shared"
    slow = tmp_path / "slow_entry.py"
    slow.write_text(
        "import sys, time\n"
        "time.sleep(0.3)\n"
        f"sys.path.insert(0, {str(source)!r})\n"
        "from tandem.installation.child_entry import main\n"
        f"open({str(tmp_path / 'registers')!r}, 'a').write('late ')\n"
        "main(sys.argv[1:])\n"
    )
    run = supervise(
        "broker:last", "api", "relay", STAND_IN_DIE_AFTER=str(nth), STAND_IN_ENTRY=str(slow)
    )
    assert run.wait() == -signal.SIGKILL
    until(run.nothing_left, "the late child is ended as well", seconds=8)
    assert (tmp_path / "registers").read_text().count("late") == nth - 1
    assert run.logs("the supervisor was killed")


@pytest.mark.processes
def test_a_killed_guard_is_replaced_and_knows_everybody(supervise: Supervise) -> None:
    run = supervise("broker:last", "worker:parent")
    until(lambda: run.says("ready"), "all are started")
    first = run.guard()
    os.kill(first, signal.SIGKILL)
    until(lambda: run.logs("another one is there"), "there is a new guard")
    assert run.guard() != first
    run.process.kill()
    run.wait()
    until(run.nothing_left, "all groups are gone", seconds=8)
    assert run.events()[-2:] == ["worker stopped", "broker stopped"]


@pytest.mark.processes
def test_the_guard_cannot_be_talked_out_of_its_duty(supervise: Supervise) -> None:
    run = supervise("worker")
    until(lambda: run.says("ready"), "all are started")
    guard = run.guard()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard, number)
    run.process.kill()
    run.wait()
    until(run.nothing_left, "all groups are gone", seconds=8)
    assert not run.logs("another one is there")
