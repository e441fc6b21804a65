"""`tandem doctor`: what is wrong with an installation, and how to mend it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

from tandem.config import Settings
from tandem.errors import TandemError
from tandem.installation import checks, service_checks
from tandem.installation.redaction import redact

CHECKS: dict[str, Callable[[Settings], str]] = {
    "python": checks.python,
    "scikit-learn": checks.scikit_learn,
    "sentence vectors": checks.sentence_vectors,
    "ranking model": checks.ranking_model,
    "clock": checks.clock,
    "data folder": checks.data_folder,
    "disk space": checks.disk_space,
    "artifacts": checks.artifacts,
    "socket path": checks.socket_path,
    "supervisor": checks.supervisor,
    "broker": service_checks.broker,
    "broker settings": service_checks.broker_settings,
    "processes": service_checks.processes,
    "database": service_checks.database,
    "schema": service_checks.schema,
    "search": service_checks.search,
    "api": service_checks.api,
}

_LIMIT = 20.0
"""Seconds for one check: a server that neither answers nor refuses is a finding, too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `remedy` says what to do; empty where all is well."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""


def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything the installation needs. Changes nothing and never raises."""
    return [examine(name, check, settings) for name, check in CHECKS.items()]


def examine(
    name: str, check: Callable[[Settings], str], settings: Settings, *, limit: float = _LIMIT
) -> Finding:
    """Run one check for at most `limit` seconds; whatever happens becomes a finding."""
    outcome: Future[str] = Future()

    def run() -> None:
        try:
            outcome.set_result(check(settings))
        except Exception as error:
            outcome.set_exception(error)

    # A daemon: a check that hangs in a system call does not keep the command from ending.
    Thread(target=run, daemon=True).start()
    try:
        return Finding(name, ok=True, detail=redact(outcome.result(timeout=limit)))
    except checks.Wrong as wrong:
        return Finding(name, ok=False, detail=redact(wrong.detail), remedy=wrong.remedy)
    except TimeoutError:
        remedy = "Look whether that disk or server is overloaded or unreachable."
        return Finding(name, ok=False, detail=f"no answer within {limit:.0f} s", remedy=remedy)
    except TandemError as error:
        return Finding(name, ok=False, detail=redact(str(error)), remedy="Do what it says.")
    except Exception as error:
        first_line = next(iter(str(error).splitlines()), "")
        detail = redact(f"{type(error).__name__}: {first_line}")
        return Finding(name, ok=False, detail=detail, remedy="See `tandem config` for its setting.")
