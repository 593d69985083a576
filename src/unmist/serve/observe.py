"""The outermost layer: a request id, one log line, and every error in OpenAI's shape."""

import asyncio
import re
import uuid
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unmist.serve.api_error import ApiError, ClientGoneError, shutting_down
from unmist.serve.limits import declared_length
from unmist.serve.logs import describe, get_logger
from unmist.serve.metrics import Metrics
from unmist.serve.tracing import Tracing

CLIENT_GONE: Final = 499  # as in other servers' logs; never sent
ROUTES: Final = frozenset(
    {"/", "/health", "/ready", "/openapi.json", "/v1/models", "/v1/classify", "/v1/embeddings"}
)
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_SMALL_BYTES: Final = 64 << 10  # of a body that is read before it is refused
_DISCARD_BYTES: Final = 16 << 20
_DISCARD_SECONDS: Final = 2.0


class Observe:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._log = get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        exchange = _Exchange(scope, receive, send)
        try:
            await self._answer(scope, exchange)
        finally:
            route, seconds = route_of(scope["path"]), perf_counter() - start
            status = exchange.status or CLIENT_GONE
            method = scope["method"] if scope["method"] in ("GET", "POST") else "other"
            self._metrics.request(route, status, seconds)
            if self._tracing is not None:
                self._tracing.request(
                    method, route, status, seconds, exchange.request_id, exchange.trace_parent
                )
            self._log.info(
                "request",
                request_id=exchange.request_id,
                method=method,
                route=route,
                status=status,
                code=exchange.code,
                milliseconds=round(seconds * 1000, 1),
                client=(scope.get("client") or [None])[0],
            )

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ApiError as error:
            await exchange.refuse(error)
        except ClientGoneError:
            return
        except asyncio.CancelledError:
            # Only the end of draining cancels from outside. It comes once, and is answered.
            if exchange.status is None:
                await exchange.refuse(shutting_down())
        except Exception as error:
            self._log.error("failed", request_id=exchange.request_id, **describe(error))
            if exchange.status is None:
                message = "The service failed on this request; its log says where."
                await exchange.refuse(ApiError(500, message, "internal_error"))


class _Exchange:
    """One request and its response, watched."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._headers = headers = dict(scope["headers"])
        self.request_id = request_id(headers.get(b"x-request-id", b""))
        self.trace_parent = headers.get(b"traceparent", b"").decode("latin-1")
        self.status: int | None = None
        self.code: str | None = None
        self._unread = b"content-length" in headers or b"transfer-encoding" in headers
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """Pass a message on; remember when the body is complete."""
        message = await self._receive()
        if not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on with the headers that every response has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (b"x-request-id", self.request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
        await self._send(message)

    async def refuse(self, error: ApiError) -> None:
        """Send an error.

        A small body is read to its end before, so that the connection can stay: a client that is
        refused because too many ask would else have to open another one, which costs more than the
        refusal. A client that is still sending a large one would see a reset instead of the answer
        if the connection closed under it; so the rest is read and dropped for a moment after it.
        """
        length = declared_length(self._headers)
        if 0 < length <= _SMALL_BYTES and b"expect" not in self._headers:
            await self._discard(length)
        body = error.body()
        self.code = error.code
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **error.headers,
            **({"connection": "close"} if self._unread else {}),
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": error.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body, "more_body": self._unread})
        if self._unread:
            await self._discard(_DISCARD_BYTES)
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _discard(self, left: int) -> None:
        try:
            async with asyncio.timeout(_DISCARD_SECONDS):
                while self._unread and left >= 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass


def request_id(given: bytes) -> str:
    """The client's id if it is harmless, else a new one."""
    text = given.decode("latin-1")
    return text if _SAFE_ID.fullmatch(text) else uuid.uuid4().hex


def route_of(path: str) -> str:
    """The route's template, never what the client wrote."""
    if path in ROUTES:
        return path
    return "/v1/models/{model}" if path.startswith("/v1/models/") else "other"
