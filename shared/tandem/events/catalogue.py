"""All kinds of events, in the order of the catalogue."""

import inspect

from tandem.events import screening_types, types
from tandem.events.fact import Fact

_MODULES = [types.__name__, screening_types.__name__]


def kinds() -> list[type[Fact]]:
    """Return every kind of event, in the order in which the catalogue's modules define them."""
    found, waiting = list[type[Fact]](), [Fact]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "type" in vars(kind):
            found.append(kind)
    return sorted(found, key=_place)


def _place(kind: type[Fact]) -> tuple[int, int]:
    return _MODULES.index(kind.__module__), inspect.getsourcelines(kind)[1]
