"""All kinds of events, in the order of the catalogue."""

from tandem.events import screening_types, types
from tandem.events.fact import Fact


def kinds() -> list[type[Fact]]:
    """Return every kind of event, in the order in which the catalogue's modules define them."""
    defined = [one for module in (types, screening_types) for one in vars(module).values()]
    return [
        one
        for one in defined
        if isinstance(one, type) and issubclass(one, Fact) and "type" in vars(one)
    ]
