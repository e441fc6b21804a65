"""How many event streams there may be: in this process, and of one client."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from tandem.config import Settings
from tandem.errors import TooMany
from tandem_api.addresses import client_source, is_trusted


class TooManyStreams(TooMany):
    """There are as many event streams as this installation allows."""

    code = "too_many_streams"
    retry_after = 30


class StreamLimits:
    """Counts event streams. Lives in the event loop; `require` may be asked from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._n_of: Counter[str] = Counter()
        self._n = 0

    def require(self, request: Request) -> str | None:
        """Return whose stream it will be, None where that has no limit of its own.

        Raises:
            TooManyStreams: There are as many as are allowed.
        """
        limits = self._settings
        if self._n >= limits.max_streams:
            raise TooManyStreams(
                "There are too many event streams. Read the list of events instead."
            )
        host = request.client.host if request.client else ""
        if is_trusted(host, limits.trusted_proxies):
            return None
        source = client_source(request)
        if self._n_of[source] >= limits.max_streams_per_source:
            raise TooManyStreams("This address follows too many event streams. Close some of them.")
        return source

    @contextmanager
    def counted(self, source: str | None) -> Iterator[None]:
        """Count a stream while the block runs."""
        self._n += 1
        if source is not None:
            self._n_of[source] += 1
        try:
            yield
        finally:
            self._n -= 1
            if source is not None:
                self._n_of[source] -= 1
                if not self._n_of[source]:
                    del self._n_of[source]
