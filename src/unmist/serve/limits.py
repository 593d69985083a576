"""Who is let in, how much they may send, and giving a place back when its client goes away."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unmist.serve.api_error import ApiError, ClientGoneError, overloaded, shutting_down
from unmist.serve.settings import Settings

# Possessive, and an unclosed string runs to the end: linear time whatever the bytes.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


class Admission:
    """Counts what is in flight: requests from their header to their answer, and body bytes.

    Used on the event loop only. It bounds the batcher's queue, because every text that waits
    belongs to a request that holds a place here.

    Attributes:
        requests: places taken.
        held_bytes: body bytes of the requests that hold them.
        draining: nobody is let in any more; who is in stays until answered.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self.requests = 0
        self.held_bytes = 0
        self.draining = False

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """One request's place. Raises ApiError 429 when there is none, 503 while draining."""
        self.check_open()
        if self.requests >= self._max_requests:
            raise overloaded("too many requests in flight")
        self.requests += 1
        place = Place(self)
        try:
            yield place
        finally:
            self.requests -= 1
            self.held_bytes -= place.bytes

    def check_open(self) -> None:
        """Raise ApiError 503 while draining."""
        if self.draining:
            raise shutting_down()

    def hold(self, count: int) -> None:
        """Count more body bytes; raises ApiError 429 when that is too many altogether."""
        if self.held_bytes + count > self._max_bytes:
            raise overloaded("too many bytes waiting")
        self.held_bytes += count


class Place:
    """A request's place; ``bytes`` are given back with it."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.bytes = 0

    def hold(self, count: int) -> None:
        """Count body bytes that have arrived."""
        self._admission.hold(count)
        self.bytes += count


class Guard:
    """ASGI middleware: lets a request in, reads its body within limits, and watches its client.

    The application sees the whole body at once. When the client goes away before it is answered,
    the application is cancelled, and whatever the request held is free again.
    """

    def __init__(self, app: ASGIApp, settings: Settings, admission: Admission) -> None:
        self._app = app
        self._settings = settings
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        check_header(scope, self._settings.max_header_bytes)
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        check_encoding(scope)
        with self._admission.place() as place:
            body = await self._body(scope, receive, place)
            if deeper_than(body, self._settings.max_json_depth):
                limit = self._settings.max_json_depth
                raise ApiError(400, f"JSON nested deeper than {limit} levels.", "json_too_deep")
            await answer_unless_gone(self._app, scope, body, receive, send)

    async def _body(self, scope: Scope, receive: Receive, place: Place) -> bytes:
        limit = self._settings.max_body_bytes
        # Only a hint: a lie is found out below, a truth saves the client from sending it all.
        if declared_length(dict(scope["headers"])) > limit:
            raise _too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGoneError
                    part = message.get("body", b"")
                    if len(body) + len(part) > limit:
                        raise _too_large(limit)
                    place.hold(len(part))
                    body += part
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise ApiError(408, "The body did not arrive in time.", "body_timeout") from None


async def answer_unless_gone(
    app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    """Run ``app`` on a body already read; cancel it once the client has gone.

    Raises:
        ClientGoneError: the client went away first.
    """
    gone = asyncio.create_task(_wait_gone(receive))
    given = finished = False

    async def replay() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.wait({gone})
        return {"type": "http.disconnect"}

    async def watched(message: Message) -> None:
        nonlocal finished
        # Servers report a finished response as a disconnect too; that one must not cancel.
        finished = message["type"] == "http.response.body" and not message.get("more_body")
        await send(message)

    answer = asyncio.ensure_future(app(scope, replay, watched))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and not finished:
            answer.cancel()
            await asyncio.wait({answer})
            raise ClientGoneError
        await answer
    finally:
        answer.cancel()
        gone.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


async def _wait_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def declared_length(headers: Mapping[bytes, bytes]) -> int:
    """How many bytes a body has, as its header says; 0 where that says nothing."""
    declared = headers.get(b"content-length", b"")
    return int(declared[:20]) if declared.isdigit() else 0


def check_encoding(scope: Scope) -> None:
    """Refuse a compressed body: what it would unpack to is not bounded by what arrives."""
    encoding = dict(scope["headers"]).get(b"content-encoding", b"identity")
    if encoding.strip().lower() != b"identity":
        raise ApiError(
            415,
            "Compressed bodies are not taken; send the body as it is.",
            "unsupported_encoding",
            headers={"accept-encoding": "identity"},
        )


def check_header(scope: Scope, limit: int) -> None:
    """Refuse a header that arrived in one piece and is too large; the server bounds the others."""
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > limit:
        raise ApiError(431, f"The header is larger than {limit:,} bytes.", "header_too_large")


def deeper_than(body: bytes, limit: int) -> bool:
    """Whether JSON nests deeper than ``limit``, told before a parser recurses into it."""
    depth = 0
    for byte in _STRING.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > limit:
            return True
    return False


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"The body is larger than {limit:,} bytes.", "body_too_large")
