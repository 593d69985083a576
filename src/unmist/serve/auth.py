"""The API key: one, optional, before everything but ``/health``."""

import base64
import binascii
import hmac
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from unmist.serve.api_error import ApiError

OPEN_PATHS: Final = frozenset({"/health"})


class RequireKey:
    """ASGI middleware that answers 401 unless the request carries the key.

    As ``Authorization: Bearer KEY`` for programs, or as the password of ``Basic`` with any user
    name, which is what lets a browser ask for it and open the page.

    Args:
        app: what is protected.
        key: the key; never shown, logged or part of a repr.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            given = presented_key(dict(scope["headers"]).get(b"authorization", b""))
            if not hmac.compare_digest(given, self._key):
                raise ApiError(
                    401,
                    "This service needs its API key as 'Authorization: Bearer KEY'.",
                    "invalid_api_key",
                    headers={"www-authenticate": 'Basic realm="unmist", charset="UTF-8"'},
                )
        await self._app(scope, receive, send)


def presented_key(header: bytes) -> bytes:
    """The key in an ``Authorization`` header; empty when there is none."""
    scheme, _, value = header.partition(b" ")
    value = value.strip()
    if scheme.lower() == b"bearer":
        return value
    if scheme.lower() == b"basic":
        try:
            _, _, password = base64.b64decode(value, validate=True).partition(b":")
        except binascii.Error:
            return b""
        return password
    return b""
