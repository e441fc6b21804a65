"""Modules import each other in one direction, inside a slice too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import figures


def test_there_is_no_circle_of_files() -> None:
    """Imports inside functions and for types alone count, too."""
    graph = figures.imports()

    assert len(graph) > 200
    assert figures.circles(graph) == []


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str]()}

    assert figures.circles(graph) == [["a", "b", "c"]]
