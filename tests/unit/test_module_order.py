"""Modules import each other in one direction, inside a slice too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import pytest

import figures


def test_there_is_no_circle_of_files() -> None:
    """Imports inside functions and for types alone count, too."""
    graph = figures.imports()

    assert len(graph) > 200
    assert figures.circles(graph) == []


APART = "tandem.screening.ledger.append"
"""The one module that stands above its package: it derives what follows from an entry."""

SLICES = sorted({name.rpartition(".")[0] for name in figures.modules() if name.count(".") == 2})


@pytest.mark.parametrize("within", SLICES)
def test_the_parts_of_a_slice_stand_in_one_order(within: str) -> None:
    """A part is a module of the slice, or a package in it with all of its modules."""

    def part(name: str) -> str | None:
        if not name.startswith(f"{within}."):
            return None
        return name if name == APART else ".".join(name.split(".")[:3])

    graph: dict[str, set[str]] = {}
    for name, imported in figures.imports().items():
        if (of := part(name)) is not None:
            found = {part(one) for one in imported} - {None, of}
            graph.setdefault(of, set()).update(one for one in found if one is not None)
            for one in graph[of]:
                graph.setdefault(one, set())

    assert figures.circles(graph) == []


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str]()}

    assert figures.circles(graph) == [["a", "b", "c"]]
