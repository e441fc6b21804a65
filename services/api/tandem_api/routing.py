"""How a request reaches its route: first who asks, only then what they sent."""

import json
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from anyio import fail_after
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from tandem.db.turns import WAITED, Busy
from tandem_api.deps import authenticate, current_user
from tandem_api.runtime import runtime
from tandem_api.uploads import read_form

_SHARE = 0.2
"""Of a request's patience is for waiting for a thread, each time."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ReadRequest(Request):
    """A request whose JSON, where it cannot be read or stored, is malformed and nothing else.

    Its forms are read by `uploads`.
    """

    async def _get_form(
        self,
        *,
        max_files: float = 1000,
        max_fields: float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> FormData:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._form is None and kind == "multipart/form-data":
            self._form = await read_form(self, max_part_size=max_part_size)
        return await super()._get_form(
            max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
        )

    async def json(self) -> Any:
        body = await self.body()
        try:
            found = json.loads(body)
            if b"\\u" in body:
                # Halves of surrogate pairs, which no answer and no database could carry.
                json.dumps(found, ensure_ascii=False).encode()
        except json.JSONDecodeError:
            raise
        except UnicodeError:
            raise json.JSONDecodeError("This is not valid Unicode", "", 0) from None
        except RecursionError:
            raise json.JSONDecodeError("It is nested too deeply", "", 0) from None
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None
        return found


class Route(APIRoute):
    """Refuses a stranger before reading their body: FastAPI alone would read it first.

    Else anybody could make the server store an upload of the largest size. And a parameter that
    the route does not know is a mistake of who asks, as it is in a body: a filter with a letter
    missing would answer with everything.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        guarded = _asks_who_calls(self.dependant)
        known = frozenset(_query_names(self.dependant))

        async def run(request: Request) -> Response:
            began = time.monotonic()
            await _thread_to_be_had(runtime(request).settings.busy_seconds)
            if guarded:
                request.state.user = await run_in_threadpool(authenticate, request)
            WAITED.set(time.monotonic() - began)
            _refuse_unknown(request, known)
            return await handle(ReadRequest(request.scope, request.receive))

        return run


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for part in dependant.dependencies:
        yield from _query_names(part)


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    has = f"it has {', '.join(sorted(known))}" if known else "it has none"
    message = f"this is not a query parameter of this address; {has}"
    raise RequestValidationError(
        [{"type": "unknown_query", "loc": ("query", name), "msg": message} for name in unknown]
    )


async def _thread_to_be_had(patience: float) -> None:
    """Wait for one of the threads that do the work of requests, if all of them are taken.

    A request needs one several times, so that each time may take a part of its patience only.

    Raises:
        Busy: None was free in time.
    """
    threads = current_default_thread_limiter()
    if threads.available_tokens > 0:
        return
    try:
        with fail_after(patience * _SHARE):
            async with threads:
                return
    except TimeoutError:
        raise Busy from None


def _asks_who_calls(dependant: Dependant) -> bool:
    return dependant.call is current_user or any(map(_asks_who_calls, dependant.dependencies))


Router = partial(APIRouter, route_class=Route)
