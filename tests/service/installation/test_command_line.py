"""What the command `tandem` says and how it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tandem
from tandem.cli import main as command
from tandem.errors import TandemError
from tandem.installation.redaction import redact


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Make the next command fail with an exception."""

    def fail_with(error: Exception) -> None:
        def fail(**_: object) -> None:
            raise error

        monkeypatch.setattr(command, "installation", fail)

    return fail_with


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tandem {tandem.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["doctor", "-h"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 0
    assert "Usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["upp"], "tandem: No such command 'upp'"),
        (["up", "--prot", "1"], "tandem: No such option: --prot"),
        (["up", "--port", "70000"], "tandem: Invalid value for '--port'"),
        (["up", "here"], "tandem: Got unexpected extra argument"),
    ],
)
def test_wrong_usage_is_one_line_and_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(complaint)


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert "Usage:" in "".join(capsys.readouterr())


def test_an_expected_failure_is_its_message(
    failing: Callable[[Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(TandemError("The folder\nis full."))
    assert command.main(["migrate"]) == 1
    assert capsys.readouterr().err == "tandem: The folder is full.\n"


def test_an_unexpected_failure_names_its_type_and_the_way_to_its_traceback(
    failing: Callable[[Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(RuntimeError("odd postgresql://me:secret@db/x"))
    assert command.main(["migrate"]) == 1
    text = capsys.readouterr().err
    assert text == "tandem: RuntimeError: odd postgresql://me:***@db/x (where: --debug)\n"


@pytest.mark.parametrize("arguments", [["--debug", "migrate"], ["migrate", "--debug"]])
def test_debug_shows_the_traceback(
    arguments: list[str],
    failing: Callable[[Exception], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(RuntimeError("odd"))
    assert command.main(arguments) == 1
    assert "Traceback" in capsys.readouterr().err


def test_debug_by_variable(
    failing: Callable[[Exception], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TANDEM_DEBUG", "1")
    failing(TandemError("no"))
    assert command.main(["migrate"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_wrong_setting_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_PORT", "many")
    assert command.main(["config"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tandem: TANDEM_PORT: ")
    assert line.endswith("(it is 'many')")


def test_config_lists_all_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://me:p@ss@db/tandem?sslpassword=other")
    monkeypatch.setenv("TANDEM_TOKEN", "tdm_secret")
    monkeypatch.setenv("TANDEM_DATA_DIR", "given by --data-dir instead")
    assert command.main(["config", "--data-dir", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "TANDEM_DATABASE_URL=postgresql://me:***@db/tandem?sslpassword=***\n" in text
    assert f"TANDEM_DATA_DIR={tmp_path}\n" in text
    assert "TANDEM_PORT=8000\n    Port the API listens on. [default]\n" in text
    assert "TANDEM_TOKEN=***\n" in text
    assert "tdm_secret" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:pw@host:6379/0", "redis://:***@host:6379/0"),
        ("s3://key:sec/ret@bucket", "s3://key:***@bucket"),
        ("http://localhost:8000/readyz", "http://localhost:8000/readyz"),
        ("sqlite:////folder/tandem.sqlite3", "sqlite:////folder/tandem.sqlite3"),
        (
            "postgresql://db/x?password=a&sslmode=require",
            "postgresql://db/x?password=***&sslmode=require",
        ),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("name", "module"),
    [("api", "tandem_api"), ("worker", "tandem_worker"), ("relay", "tandem_worker.relay")],
)
def test_a_service_replaces_the_command(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []

    def become(program: str, argv: list[str]) -> None:
        assert program == sys.executable
        became.append(argv)

    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setenv("TANDEM_DATA_DIR", "")
    assert command.main([name, "--data-dir", str(tmp_path)]) == 0
    assert became == [[sys.executable, "-P", "-m", module]]
    assert os.environ["TANDEM_DATA_DIR"] == str(tmp_path)


@pytest.mark.parametrize("queue", ["rankings", "large", "bulk"])
def test_a_worker_can_serve_one_queue(
    queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, argv: became.append(argv))
    monkeypatch.setenv("TANDEM_DATA_DIR", "")

    assert command.main(["worker", "--queue", queue, "--data-dir", str(tmp_path)]) == 0
    assert became == [[sys.executable, "-P", "-m", "tandem_worker", queue]]


def test_a_queue_that_is_not_there_is_wrong_usage() -> None:
    asked = [sys.executable, "-m", "tandem_worker", "none"]
    done = subprocess.run(asked, capture_output=True, text=True)

    assert done.returncode == 2
    assert "rankings, large, bulk" in done.stderr


def test_help_does_not_load_what_is_heavy() -> None:
    heavy = {"pydantic", "sqlalchemy", "sklearn", "numpy", "celery", "httpx", "redis", "structlog"}
    program = (
        "import sys\n"
        "from tandem.cli.main import main\n"
        "main(['--help'])\n"
        f"assert not {heavy!r} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_a_command_makes_is_for_its_user_alone(tmp_path: Path) -> None:
    """Under an umask that lets everybody read, as most machines have it."""
    env = os.environ | {"TANDEM_DATABASE_URL": f"sqlite:///{tmp_path}/data/tandem.sqlite3"}
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "migrate"],
        env=env,
        umask=0o022,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "tandem.sqlite3").stat().st_mode & 0o777 == 0o600
