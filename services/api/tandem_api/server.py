"""One API process, or several that listen on one port."""

import asyncio
import resource
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from tandem.config import Settings, settings
from tandem.loading import loading
from tandem.log import configure
from tandem_api.app import create_app
from tandem_api.connections import guarded
from tandem_api.processes import NoneServes, serve_with

_GRACE_SECONDS = 5
"""Requests under way may finish; event streams are ended at once."""

MOST_FILES = 10_240
"""Each event stream is an open file. Systems begin with 256 or 1,024, and a server that has no more
of them answers nobody. Where the system's own limit is lower, that."""


class Server(uvicorn.Server):
    """Ends event streams on SIGTERM or SIGINT: the server waits for every open response."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        runtime = getattr(self._app.state, "runtime", None)
        if runtime is not None:
            asyncio.get_running_loop().call_soon_threadsafe(runtime.event_streams.close)


def allow_many_connections() -> None:
    """Raise this process's limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    config = settings()
    configure(config, process="api")
    allow_many_connections()
    with loading():
        app = create_app(config)
    if config.api_processes == 1:
        serve(config, app)
        return
    listening = _server(config, None).bind_socket()
    try:
        serve_with(config.api_processes, listening, lambda: serve(config, app, [listening]))
    except NoneServes as error:
        sys.exit(str(error))


def serve(config: Settings, app: FastAPI, sockets: list[socket.socket] | None = None) -> None:
    """Answer requests until SIGTERM or SIGINT: on `sockets`, or else on the configured port."""
    Server(_server(config, app), app).run(sockets)


def _server(config: Settings, app: FastAPI | None) -> uvicorn.Config:
    return uvicorn.Config(
        app or "",
        host=config.host,
        port=config.port,
        http=guarded(config),
        timeout_keep_alive=config.keep_alive_seconds,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        proxy_headers=False,  # tandem_api.addresses.Proxies does this
    )
