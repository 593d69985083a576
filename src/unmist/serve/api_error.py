"""An answer that is an error, in OpenAI's shape."""

from collections.abc import Mapping
from typing import Any

import msgspec

SERVER_ERROR = 500
TOO_MANY = 429


class ApiError(Exception):
    """Raised anywhere below :class:`unmist.serve.observe.Observe`, which sends it.

    The message goes to the client and never to the log. It may name a row, never quote its text.

    Args:
        status: HTTP status, 400 and up.
        message: what is wrong and what to do.
        code: machine-readable, e.g. ``model_not_found``.
        param: what part of the request it is about, e.g. ``rows[3].task``.
        headers: more response headers.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        """OpenAI's class of the error."""
        if self.status >= SERVER_ERROR:
            return "server_error"
        return "rate_limit_error" if self.status == TOO_MANY else "invalid_request_error"

    def body(self) -> bytes:
        """``{"error": {"message", "type", "param", "code"}}`` as JSON."""
        error: dict[str, Any] = {
            "message": _encodable(self.message),
            "type": self.type,
            "param": None if self.param is None else _encodable(self.param),
            "code": self.code,
        }
        return msgspec.json.encode({"error": error})


def _encodable(text: str) -> str:
    """A name that the client chose may hold half a surrogate pair, which UTF-8 cannot write."""
    return text.encode(errors="backslashreplace").decode()


class ClientGoneError(Exception):
    """The client closed its connection; there is nobody to answer."""


def overloaded(what: str, seconds: int = 1) -> ApiError:
    """429 with ``Retry-After``: nothing was started, the same request may be sent again."""
    message = f"The service is busy ({what}); send the request again a little later."
    return ApiError(TOO_MANY, message, "overloaded", headers={"retry-after": str(seconds)})


def shutting_down() -> ApiError:
    """503: another instance, or this one a little later, will answer."""
    headers = {"retry-after": "1", "connection": "close"}
    return ApiError(503, "The service is shutting down.", "shutting_down", headers=headers)
