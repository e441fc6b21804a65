"""Structured logging: one event a line, with the request or task it belongs to."""

import logging
import re
import sys
from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from tandem.config import Settings

_CHATTY = (
    "alembic.runtime.plugins",
    "celery.app.trace",
    "celery.worker.strategy",
    "httpx",
)
"""Libraries that log every single step; their warnings and errors are kept."""

_LINKS = re.compile(r"((?:invitations|join|reset|setup)/+)[^/]+", re.IGNORECASE)
"""The path after these is the secret of a link that works once."""


def configure(settings: Settings, *, process: str) -> None:
    """Send this process's messages, and those of its libraries, to stderr.

    Args:
        settings: `log_level` and `log_format` are used.
        process: `api`, `worker`, `relay` or `up`; stands in every line.
    """
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )

    def stamp(_: object, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        stamp,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without the values of local variables: among those are tokens and passwords.
    plain = structlog.dev.plain_traceback
    to_dict = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    render: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
        if console
        else [
            structlog.processors.ExceptionRenderer(to_dict),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    if settings.log_level != "debug":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a module; call it as `log.info("what happened", key=value)`."""
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))


def without_secrets(path: str) -> str:
    """Return a request's path for the log, without the secrets of links."""
    return _LINKS.sub(r"\1***", path)
