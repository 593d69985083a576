"""One TCP connection: what the server library does not bound is bounded here."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from unmist.serve.api_error import ApiError
from unmist.serve.settings import Settings


class Connection(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a header, nor for a client that does not read.

    The class attributes are set by :func:`connection_class`.
    """

    header_seconds: float
    write_seconds: float
    max_connections: int
    _header_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first header."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._header_timer = self.loop.call_later(self.header_seconds, self._cut)

    def data_received(self, data: bytes) -> None:
        """A request's first bytes start the clock; its complete header stops it."""
        if self._header_timer is None and self._between_requests():
            self._header_timer = self.loop.call_later(self.header_seconds, self._cut)
        super().data_received(data)
        if not self._between_requests():
            self._stop_header_timer()

    def pause_writing(self) -> None:
        """The client reads too slowly; it has until then to catch up."""
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self.write_seconds, self._cut)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._stop_write_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_header_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or a header that is too large, in our shape of an error."""
        self._stop_header_timer()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # in the middle of an answer there is no saying anything
            return
        limit = self.config.h11_max_incomplete_event_size
        message = f"No valid HTTP/1.1 request, or a header of more than {limit:,} bytes."
        body = ApiError(400, message, "invalid_http").body()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _cut(self) -> None:
        self.transport.abort()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def connection_class(settings: Settings) -> type[Connection]:
    """The class with its limits."""
    limits = {
        "header_seconds": settings.header_seconds,
        "write_seconds": settings.write_seconds,
        "max_connections": settings.max_connections,
    }
    return type("Connection", (Connection,), limits)
