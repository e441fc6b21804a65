"""Memory and processor time of `tandem up` at rest, by process. Linux only: it reads /proc."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from installation import free_port

TICKS = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """Return a process and all that descend from it, the parents first."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        children[parent].append(int(folder.name))
    found = [root]
    for pid in found:
        found.extend(sorted(children[pid]))
    return found


def seconds(pid: int) -> float:
    """Return the processor time that it has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def megabytes(pid: int) -> float:
    """Return its share of memory (PSS): what several processes share counts once in all."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no PSS in smaps_rollup")


def name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    modules = [word for word in words if "tandem_" in word or "valkey-server" in word]
    known = [Path(word).name for word in modules if "/guard_program" not in word]
    guard = ["guard"] if any("guard_program" in word for word in words) else []
    return (guard or known or ["supervisor"])[0]


def measure(root: int, during: float) -> list[tuple[str, float, float]]:
    """Return of each process its name, megabytes, and percent of one processor."""
    before = {pid: seconds(pid) for pid in family(root)}
    time.sleep(during)
    return [
        (name(pid), megabytes(pid), 100 * (seconds(pid) - before.get(pid, 0.0)) / during)
        for pid in family(root)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--demo", action="store_true", help="with the demo loaded and ranked")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tandem-idle-"))
    command = [sys.executable, "-m", "tandem", "up", *(["--demo"] if asked.demo else [])]
    env = {**os.environ, "TANDEM_DATA_DIR": str(folder / "data"), "TANDEM_PORT": str(free_port())}
    mark = "ready to screen" if asked.demo else "is ready"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as running,
    ):
        try:
            assert running.stdout is not None
            for line in running.stdout:
                if mark in line:
                    break
            time.sleep(30)  # what follows a start has ended by then
            rows = measure(running.pid, asked.seconds)
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate()
    print("| process | MB (PSS) | % of one processor |\n|---|---|---|")
    for what, size, share in rows:
        print(f"| {what} | {size:.0f} | {share:.2f} |")
    print(f"| all | {sum(r[1] for r in rows):.0f} | {sum(r[2] for r in rows):.2f} |")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
