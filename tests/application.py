"""The API for tests, on settings of their own but with routes that are built only once."""

import json
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from tandem.config import Settings
from tandem_api.app import create_app


def application(settings: Settings) -> FastAPI:
    """Return what `create_app` does, sparing its first request a tenth of a second.

    FastAPI works out what each route takes and answers when it is first asked for; the settings
    have no part in that, nor in the list of routes.
    """
    routes = _routes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastAPI, "include_router", lambda *_, **__: None)
        app = create_app(settings)
    app.router.routes = routes
    return app


@cache
def _routes() -> list[BaseRoute]:
    return create_app(Settings()).router.routes


def document_of_the_api() -> dict[str, Any]:
    """Return the OpenAPI document. It is made once in a process: that takes over a second."""
    document: dict[str, Any] = json.loads(_document())
    return document


@cache
def _document() -> str:
    return json.dumps(create_app(Settings()).openapi())
