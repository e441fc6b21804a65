"""The API against its own OpenAPI document: schemathesis in all its phases, as three callers.

Each caller gets an installation of its own: SQLite, a server on loopback, a review with
conflicts, rankings, invitations and webhooks. Prints how many requests were made and what was
found; exit code 1 where anything was.
"""

import argparse
import logging
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
import structlog
import uvicorn
from schemathesis.engine import events, from_schema

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from service.api.scene import Scene, build, promote
from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.migrate import upgrade
from tandem_api.app import create_app
from world import World

CALLERS = ("owner", "reviewer", "nobody")
"""The owner administers the installation, too; the reviewer is blinded."""

PHASES = ("examples", "coverage", "fuzzing", "stateful")
_MOST_PHASES = 50


@dataclass
class Outcome:
    """What one caller's requests came to."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    n_links: int = 0
    seconds: float = 0.0

    @property
    def n_server_errors(self) -> int:
        return sum(n for status, n in self.statuses.items() if status >= 500)


@contextmanager
def installation(folder: Path) -> Iterator[tuple[str, Scene]]:
    """Yield the address of a server, and what is in its review."""
    url = f"sqlite:///{folder}/tandem.sqlite3"
    upgrade(url)
    database = Database(url)
    world = World(database)
    scene = build(world)
    promote(world, scene, scene.admin)
    with database.write.begin() as session:
        token, _ = accounts.add_token(
            session, user_id=scene.admin.id, name="spare", expires_at=None
        )
    scene.ids["token_id"] = str(token.id)
    scene.ids["another_review"] = str(world.review(scene.admin, title="Another one"))
    app = create_app(
        Settings(
            data_dir=folder,
            database_url=url,
            redis_url=f"unix://{folder}/nobody-listens.sock",
            artifact_url=str(folder / "artifacts"),
        )
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", scene
    finally:
        app.state.runtime.event_streams.closing = True
        server.should_exit = True
        thread.join(20)
        database.close()


def run(
    address: str, scene: Scene, caller: str, *, examples: int, seed: int, stateful: int
) -> Outcome:
    """Return what came of all phases, and of further stateful ones up to so many requests.

    Hypothesis ends a stateful phase without a word where a replay goes otherwise than the first
    time: another server state is enough for that. So there are several, each with its own seed.
    """
    outcome, began = Outcome(), time.monotonic()
    for number in range(_MOST_PHASES):
        phases = PHASES if number == 0 else ("stateful",)
        if number and outcome.cases["stateful"] >= stateful:
            break
        schema = _schema(address, scene, caller, examples, seed + number, phases)
        for event in from_schema(schema).execute():
            _note(outcome, event)
    outcome.seconds = time.monotonic() - began
    return outcome


def _schema(
    address: str, scene: Scene, caller: str, examples: int, seed: int, phases: Sequence[str]
) -> Any:
    people = {"owner": scene.admin.auth, "reviewer": scene.team.ann.auth, "nobody": {}}
    return schemathesis.openapi.from_dict(
        create_app(Settings()).openapi(),
        config=schemathesis.Config.from_dict(
            {
                "seed": seed,
                "base-url": address,
                "max-stream-events": 1,
                "continue-on-failure": True,
                "request-timeout": 120,
                "headers": people[caller],
                # Ids of things that are there; stateful requests use those that they made.
                "parameters": {f"path.{name}": id for name, id in scene.ids.items()},
                # Archiving it would end all else.
                "operations": [
                    {
                        # A bad item is reported in its place; in a form a number is a text, too.
                        "include-path-regex": "/(decisions|imports)$",
                        "checks": {"negative_data_rejection": {"enabled": False}},
                    },
                    {
                        # Other ways to write a DOI or an address are understood, too.
                        "include-path-regex": "/records/{record_id}$",
                        "include-method": "PATCH",
                        "checks": {"negative_data_rejection": {"enabled": False}},
                    },
                    {
                        "include-path-regex": "/archive$",
                        "parameters": {"path.review_id": scene.ids["another_review"]},
                    },
                ],
                "generation": {"max-examples": examples, "allow-x00": False},
                "phases": {
                    **{phase: {"enabled": phase in phases} for phase in PHASES},
                    "stateful": {
                        "enabled": True,
                        "generation": {"max-examples": 20 * examples},
                    },
                },
                "checks": {
                    # A schema cannot say all that a value has to be, nor who may send it.
                    "positive_data_acceptance": {"enabled": False},
                    "negative_data_rejection": {"enabled": caller == "owner"},
                    "ignored_auth": {"enabled": False},
                },
            }
        ),
    )


def _with_another_key() -> Any:
    """Return what replaces a key that was used before: else most writes would be conflicts."""
    used = set[str]()

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        key = (case.headers or {}).get("Idempotency-Key")
        if isinstance(key, str) and key in used:
            case.headers["Idempotency-Key"] = uuid4().hex
        elif isinstance(key, str):
            used.add(key)

    return before_call


def _note(outcome: Outcome, event: Any) -> None:
    if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
        phase = getattr(event, "phase", None)
        outcome.cases[phase.value if phase is not None else "fuzz"] += len(event.recorder.cases)
        for interaction in event.recorder.interactions.values():
            if interaction.response is not None:
                outcome.statuses[interaction.response.status_code] += 1
        for id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    case = event.recorder.cases[id].value
                    name = f"{check.name}: {case.method} {case.operation.path}"
                    said = str(check.failure_info.failure)
                    outcome.failures.setdefault(name, []).append(
                        f"{said}\n{check.failure_info.code_sample}"
                    )
    elif isinstance(event, events.PhaseStarted) and event.payload is not None:
        outcome.n_links = event.payload.transitions_total
    elif isinstance(event, events.NonFatalError | events.FatalError):
        outcome.errors.append(str(getattr(event, "value", None) or event))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", nargs="+", choices=CALLERS, default=CALLERS)
    parser.add_argument("--examples", type=int, default=20, help="requests of a phase and route")
    parser.add_argument("--stateful", type=int, default=1000, help="requests of stateful phases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="one request of each finding")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    schemathesis.hook("before_call")(_with_another_key())
    found = False
    for caller in asked.callers:
        folder = Path(tempfile.mkdtemp(prefix="tandem-contract-"))
        with installation(folder) as (address, scene):
            outcome = run(
                *(address, scene, caller),
                examples=asked.examples,
                seed=asked.seed,
                stateful=asked.stateful,
            )
        shutil.rmtree(folder)
        found |= bool(outcome.failures or outcome.errors)
        _print(caller, outcome, verbose=asked.verbose)
    return 1 if found else 0


def _print(caller: str, outcome: Outcome, *, verbose: bool) -> None:
    phases = ", ".join(f"{name} {n}" for name, n in sorted(outcome.cases.items()))
    print(f"\n{caller}: {outcome.cases.total()} cases in {outcome.seconds:.0f} s ({phases})")
    answers = ", ".join(f"{status}: {n}" for status, n in sorted(outcome.statuses.items()))
    print(f"  answers {answers}")
    print(f"  links between operations: {outcome.n_links}")
    print(f"  5xx: {outcome.n_server_errors}; findings: {len(outcome.failures)}")
    for name, said in sorted(outcome.failures.items()):
        print(f"  {len(said)} × {name}")
        if verbose:
            print("    " + said[0].replace("\n", "\n    "))
    for error in outcome.errors:
        print(f"  error: {error[:2000]}")


if __name__ == "__main__":
    sys.exit(main())
