"""Print the figures that the design is held to, each with the rule that counts it.

`make figures` counts this checkout, `make figures V=-v` also lists what is counted, and
`make figures ROOT=../another` counts another checkout by the same rules. Everything is counted in
the source text, but for the decision's way, which is traced at run time.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parents[1]
ROOT = HERE
PACKAGES = ("shared/tandem", "services/api/tandem_api", "services/worker/tandem_worker")

VISIBILITY = {
    *("blind", "is_blind", "is_blinded", "adjudicator_sees", "sees_of"),
    *("sees_all", "sees_every_event", "sees_score", "sees_statuses"),
}
"""Attributes and functions that say what somebody may see of others' verdicts."""

STATE_SHAPES = {
    ("screening/ledger.py", "Page"),
    ("screening/following.py", "Case"),
    ("screening/conflicts/files.py", "File"),
    ("screening/previews.py", "_Now"),
    ("audit/state.py", "Place"),
    ("screening/glimpses.py", "_Shown"),
}
"""Classes that stood for the state of a record before `RecordState` did."""

LEDGER_ENTRIES = {"Decision", "Resolution"}


@cache
def sources() -> dict[str, tuple[str, ast.Module]]:
    """Return text and tree of each module of the product, by its path below `ROOT`."""
    found = {}
    for path in files():
        text = (ROOT / path).read_text("utf-8")
        found[path] = text, ast.parse(text)
    return found


def files() -> list[str]:
    """Return the path of each module of the product below `ROOT`."""
    found = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return [str(file.relative_to(ROOT)) for file in found]


def modules() -> list[str]:
    return [_module(path) for path in files()]


def lines() -> int:
    return sum(1 for text, _ in sources().values() for line in text.splitlines() if line.strip())


def blinding_modules() -> list[str]:
    found = []
    for path, (_, tree) in sources().items():
        named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if named & VISIBILITY or "/screening/blinding/" in path:
            found.append(path)
    return found


def state_shapes() -> list[str]:
    found = []
    for path, (_, tree) in sources().items():
        classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        old = [name for end, name in STATE_SHAPES if path.endswith(end) and name in classes]
        found += [f"{path}: {name}" for name in [*old, *({"RecordState"} & classes)]]
    return found


def leases() -> list[str]:
    """Return what prolongs a lease on background work itself; `tandem/work` counts once.

    Webhooks and the consumers of events stay apart: they count their failures differently.
    """
    found = {
        "shared/tandem/work/" if "/work/" in path else path
        for path, (text, _) in sources().items()
        if re.search(r"\blease_until\s*=\s*\w.*\+", text)
        and not re.search(r"/(webhooks|events)/", path)
    }
    return sorted(found)


def offset_lists() -> list[str]:
    """Return the lists that skip so many rows; to look up the n-th row alone is no list."""
    return [
        f"{path}:{number}"
        for path, (text, _) in sources().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if ".offset(" in line and ".limit(1)" not in line
    ]


def builders() -> list[str]:
    """Return where an entry of the ledger is made: calls of the table's class."""
    return [
        f"{path}:{call.lineno} {call.func.id}"
        for path, (_, tree) in sources().items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in LEDGER_ENTRIES
        and any(keyword.arg == "review_id" for keyword in call.keywords)
    ]


def walk() -> list[str]:
    """Return the modules that a decision passes through, in order, each as often as entered."""
    program = [sys.executable, str(HERE / "tools" / "decision_walk.py"), str(ROOT)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.split()


@cache
def imports() -> dict[str, set[str]]:
    """Return which modules of the product each module names in its imports, lazy ones too."""
    names = {_module(path): path for path in sources()}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        graph[name] = {found for found in _imported(sources()[path][1]) if found in names} - {name}
    return graph


def _module(path: str) -> str:
    parts = Path(path).with_suffix("").parts
    start = next(i for i, part in enumerate(parts) if part.startswith("tandem"))
    return ".".join(part for part in parts[start:] if part != "__init__")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other by imports."""
    reached = {name: _reach(graph, name) for name in graph}
    together = {
        name: frozenset(other for other in reached[name] if name in reached[other])
        for name in graph
    }
    return sorted([sorted(group) for group in {*together.values()} if len(group) > 1])


def _reach(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        for name in graph[todo.pop()] - found:
            found.add(name)
            todo.append(name)
    return found


def long_modules() -> list[str]:
    counted = {path: len(text.splitlines()) for path, (text, _) in sources().items()}
    return [f"{path} ({n})" for path, n in counted.items() if n > 300]


def unit_tests() -> list[str]:
    return [str(file.relative_to(ROOT)) for file in (ROOT / "tests" / "unit").rglob("test_*.py")]


FIGURES: list[tuple[str, str, Callable[[], int | list[str] | list[list[str]]], str]] = [
    ("product Python lines", "≤ 41,000", lines, "lines with text below shared/ and services/"),
    (
        "modules that take part in blinding",
        "≤ 12",
        blinding_modules,
        "in screening/blinding/, or use one of: " + ", ".join(sorted(VISIBILITY)),
    ),
    ("shapes of a record's state", "1", state_shapes, "RecordState, and the six before it"),
    ("work leases", "1", leases, "modules that set lease_until to a later time"),
    ("lists by OFFSET", "0", offset_lists, "calls of .offset(…) that are no look-up of one row"),
    ("builders of ledger entries", "1", builders, "calls of Decision(…) and Resolution(…)"),
    ("modules in the decision's way", "≤ 20", walk, "tools/decision_walk.py, at run time"),
    ("circles of files", "0", lambda: circles(imports()), "imports, lazy and for types too"),
    ("modules over 300 lines", "0", long_modules, "all lines"),
    ("unit test files without I/O", "≥ 120", unit_tests, "tests/unit/**/test_*.py"),
]


def main(root: Path, *, verbose: bool) -> None:
    global ROOT
    ROOT = root.resolve()
    for name, wanted, count, rule in FIGURES:
        found = count()
        listed = found if isinstance(found, list) else []
        n = found if isinstance(found, int) else len(set(map(str, listed)))
        sys.stdout.write(f"{name:36} {n:>7,}  wanted {wanted:9} {rule}\n")
        if count is walk:
            back = len(listed) - len(set(listed))
            sys.stdout.write(f"{'  times it comes back to one of them':36} {back:>7,}\n")
        if verbose:
            sys.stdout.writelines(f"      {one}\n" for one in listed)


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "-v"]
    main(Path(given[0]) if given else HERE, verbose="-v" in sys.argv)
