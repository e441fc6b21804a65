"""`tandem user` and `tandem token`, on the database of an installation that is not running."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest

from tandem.accounts import access
from tandem.accounts import service as accounts
from tandem.cli.main import main
from tandem.db.session import Database
from tandem.errors import Unauthenticated
from tandem.installation.lock import InstallationLock

ANN, PASSWORD = "ann@example.org", "correct horse battery"


class Terminalless(io.StringIO):
    """What is piped in."""


@pytest.fixture
def database(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """The installation's database, which the commands find by TANDEM_DATA_DIR."""
    copy(migrated_sqlite, tmp_path / "tandem.sqlite3")
    monkeypatch.setenv("TANDEM_DATA_DIR", str(tmp_path))
    opened = Database(f"sqlite:///{tmp_path}/tandem.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> "Piped":
    return Piped(monkeypatch)


class Piped:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, text: str) -> None:
        self._monkeypatch.setattr(sys, "stdin", Terminalless(text))


def signs_in(database: Database, password: str, email: str = ANN) -> bool:
    with database.read() as session:
        try:
            accounts.check_password(session, email=email, password=password)
        except Unauthenticated:
            return False
    return True


def add_ann(database: Database, *, is_admin: bool = False) -> None:
    with database.write.begin() as session:
        accounts.add_user(session, email=ANN, name="Ann", password=PASSWORD, is_admin=is_admin)


def test_a_password_is_read_from_a_pipe(
    database: Database, piped: Piped, capsys: pytest.CaptureFixture[str]
) -> None:
    piped(PASSWORD + "\n")
    assert main(["user", "add", ANN, "--name", "Ann", "--password-stdin"]) == 0
    assert signs_in(database, PASSWORD)

    piped("battery staple\n")
    assert main(["user", "password", ANN]) == 0
    assert signs_in(database, "battery staple")
    assert not signs_in(database, PASSWORD)
    assert "staple" not in "".join(capsys.readouterr())


def test_the_password_of_the_contract_is_taken_as_an_option(database: Database) -> None:
    assert main(["user", "add", ANN, "--name", "Ann", "--admin", "--password", PASSWORD]) == 0
    assert signs_in(database, PASSWORD)


def test_without_a_terminal_and_an_option_nothing_is_read(database: Database, piped: Piped) -> None:
    piped("what somebody left in the pipe\n")
    assert main(["user", "add", ANN, "--name", "Ann"]) == 0
    assert not signs_in(database, "what somebody left in the pipe")


@pytest.mark.parametrize(
    "password", ["short", "12345678", "PassWord1", "ann@example.org", "tandem2026!", "x" * 501]
)
def test_a_weak_password_is_one_line_that_does_not_repeat_it(
    database: Database, piped: Piped, capsys: pytest.CaptureFixture[str], password: str
) -> None:
    piped(password)
    assert main(["user", "add", ANN, "--name", "Ann", "--password-stdin"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tandem: ")
    assert password not in line
    assert main(["user", "list"]) == 0
    assert capsys.readouterr().out == ""


def test_on_a_terminal_it_is_asked_for_twice_and_never_shown(database: Database) -> None:
    add_ann(database)

    program = "from tandem.cli.main import run; run()"

    def typed(*lines: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", program, "user", "password", ANN],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            seen = ""
            for n_asked, line in enumerate(lines, start=1):
                # The space comes last: what is typed before it is thrown away.
                while seen.count(": ") < n_asked:
                    seen += os.read(ours, 1000).decode()
                os.write(ours, f"{line}\n".encode())
            try:
                while more := os.read(ours, 1000):
                    seen += more.decode()
            except OSError:  # how Linux says that nobody is at the other end any more
                pass
        os.close(ours)
        return process.returncode, seen

    assert typed("battery staple", "battery stable")[0] == 1
    assert signs_in(database, PASSWORD)
    status, seen = typed("battery staple", "battery staple")
    assert status == 0
    assert "staple" not in seen
    assert signs_in(database, "battery staple")


def test_accounts_are_listed_and_searched(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    for email, name in ((ANN, "Ann Lee"), ("ben@example.org", "Ben Stone")):
        main(["user", "add", email, "--name", name])
    main(["user", "add", "root@example.org", "--name", "Root", "--admin"])
    main(["user", "disable", "ben@example.org"])
    capsys.readouterr()

    assert main(["user", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ann@example.org\tAnn Lee",
        "ben@example.org\tBen Stone\toff",
        "root@example.org\tRoot\tadmin",
    ]
    assert main(["user", "list", "STONE"]) == 0
    assert capsys.readouterr().out == "ben@example.org\tBen Stone\toff\n"


def test_switching_off_ends_everything_and_switching_on_lets_in_again(database: Database) -> None:
    add_ann(database)
    with database.write.begin() as session:
        user = accounts.find_user(session, email=ANN)
        assert user is not None
        cookie = accounts.sign_in(session, user_id=user.id, lasting=timedelta(days=1)).secret
        _, token = accounts.add_token(session, user_id=user.id, name="x", expires_at=None)

    assert main(["user", "disable", ANN]) == 0
    assert main(["user", "enable", ANN]) == 0

    assert signs_in(database, PASSWORD)
    with database.read() as session:
        with pytest.raises(Unauthenticated):
            access.of_sign_in(session.connection(), cookie)
        with pytest.raises(Unauthenticated):
            access.of_token(session.connection(), token)


def test_another_address(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    add_ann(database)
    main(["user", "add", "ben@example.org", "--name", "Ben"])

    assert main(["user", "email", ANN, "BEN@example.org"]) == 1
    assert "There is already an account for ben@example.org" in capsys.readouterr().err
    assert main(["user", "email", ANN, "Lee@example.org"]) == 0
    assert capsys.readouterr().out == "lee@example.org is the address of Ann now.\n"
    assert main(["user", "password", ANN, "--password-stdin"]) == 1, "nobody has the old one"


def test_the_last_administrator_is_not_switched_off(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    add_ann(database, is_admin=True)

    assert main(["user", "disable", ANN]) == 1
    assert "only active administrator" in capsys.readouterr().err
    assert signs_in(database, PASSWORD)


def test_a_reset_prints_a_link_of_the_public_address(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_ann(database)
    monkeypatch.setenv("TANDEM_PUBLIC_URL", "https://tandem.example.org/")

    assert main(["user", "reset", ANN]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("https://tandem.example.org/reset/")
    assert len(line.rpartition("/")[2]) == 43


def test_a_reset_prints_the_address_at_which_it_runs(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    add_ann(database)
    with InstallationLock(tmp_path, url="http://127.0.0.1:8123"):
        assert main(["user", "reset", ANN]) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:8123/reset/")


def test_tokens_are_made_with_a_scope_listed_and_revoked(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    add_ann(database)
    assert main(["token", "add", ANN, "--name", "plots", "--scope", "read"]) == 0
    secret = capsys.readouterr().out.strip()
    assert main(["token", "add", ANN, "--scope", "all"]) == 2
    capsys.readouterr()

    assert main(["token", "list", ANN]) == 0
    listed = capsys.readouterr().out
    token_id, scope, expires, used, name = listed.strip().split("\t")
    assert (scope, expires, used, name) == ("read", "-", "-", "plots")
    assert secret not in listed
    assert main(["token", "revoke", ANN, token_id]) == 0
    assert main(["token", "revoke", ANN, token_id]) == 1


@pytest.mark.parametrize("command", ["password", "disable", "enable", "reset"])
def test_an_unknown_address_is_said_to_be_so(
    database: Database, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main(["user", command, "nobody@example.org"]) == 1
    said = capsys.readouterr().err
    assert "There is no account for nobody@example.org in " in said
    assert os.environ["TANDEM_DATA_DIR"] in said.replace("\n", "")
