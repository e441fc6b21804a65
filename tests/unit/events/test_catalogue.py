"""The catalogue of events and the code that appends them."""

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import figures
from tandem.events.catalogue import kinds


def test_each_kind_of_event_happens_somewhere() -> None:
    named = {
        node.id
        for path, (_, tree) in figures.sources().items()
        if not path.startswith("shared/tandem/events/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    }
    assert {kind.__name__ for kind in kinds()} - named == set()
