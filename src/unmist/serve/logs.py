"""Structured logs on standard error: JSON, or readable lines on a terminal.

What clients send is never logged: no text, no path, no header, and of an exception only its type
and where it was raised, because its message may quote a text.
"""

import logging
import os
import sys
import traceback
from typing import Any

import structlog


def get_logger() -> Any:
    """The service's logger: ``log.info("event", name=value)``."""
    return structlog.get_logger("unmist.serve")


def configure() -> None:
    """Set up this process's logs. Only a process that serves calls this, never a library."""
    tty = sys.stderr.isatty()
    renderer: Any = structlog.processors.JSONRenderer()
    if tty:
        colour = not os.environ.get("NO_COLOR")
        renderer = structlog.dev.ConsoleRenderer(colors=colour)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    server = logging.getLogger("uvicorn")
    server.handlers = [_Forward(logging.WARNING)]
    server.propagate = False


def describe(error: BaseException) -> dict[str, Any]:
    """An exception's type and the places it passed, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames[-8:]]
    return {"error": type(error).__name__, "at": places}


class _Forward(logging.Handler):
    """The server library's warnings, in our form and without exception messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        error = record.exc_info[1] if record.exc_info else None
        details = describe(error) if error is not None else {}
        message = record.getMessage().strip()
        get_logger().warning("server", message=message, **details)
