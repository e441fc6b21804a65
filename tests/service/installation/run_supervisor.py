"""Program: `run_supervisor.py FOLDER CHILD…`, a supervisor of stand-ins such as `api:parent`.

`valkey` is the real one, in FOLDER. STAND_IN_DIE_AFTER=N: kill -9 of itself as soon as the Nth
child process exists, before that has done anything.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from service.installation.stand_ins import CHILD
from tandem import log
from tandem.config import Settings
from tandem.installation import children, valkey
from tandem.installation.children import Child
from tandem.installation.supervisor import Stopped, Supervisor


class DieAfter(subprocess.Popen[bytes]):
    left = int(os.environ.get("STAND_IN_DIE_AFTER", "0"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        DieAfter.left -= 1
        if DieAfter.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def stand_in(folder: Path, name: str, traits: list[str], socket: Path) -> Child:
    return Child(
        name=name,
        argv=[sys.executable, "-c", CHILD, str(folder), name, *traits],
        env={**os.environ, "BROKER": str(socket)},
        ready=None
        if "mortal" in traits
        else lambda: f"{name} started" in (folder / "events").read_text(),
        grace=0.3 if "stubborn" in traits else 10,
        last="last" in traits,
    )


def main(folder: Path, specifications: list[str]) -> None:
    settings = Settings(data_dir=folder)
    log.configure(settings, process="up")
    (folder / "events").touch()
    if "STAND_IN_ENTRY" in os.environ:
        children._ENTRY = Path(os.environ["STAND_IN_ENTRY"])
    began = time.monotonic()
    if DieAfter.left:
        setattr(subprocess, "Popen", DieAfter)  # noqa: B010  # no type allows it
    with Supervisor() as supervisor:
        try:
            for specification in specifications:
                name, *traits = specification.split(":")
                if name == "valkey":
                    supervisor.start(valkey.child(settings))
                else:
                    supervisor.start(stand_in(folder, name, traits, settings.valkey_socket()))
            sys.stdout.write(f"ready after {time.monotonic() - began:.2f} s\n")
            sys.stdout.flush()
            supervisor.run()
        except Stopped:
            pass
    sys.stdout.write("ended\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
