"""What every request that brings texts has in common: their bounds, and waiting for answers."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from unmist.errors import UsageError
from unmist.serve.answers import Embedded, Question, Ranked
from unmist.serve.api_error import ApiError, overloaded
from unmist.serve.batcher import Batcher, OverloadError

_LONGEST_RETRY: Final = 60  # seconds; a queue may empty faster than it looks


def check_count(count: int, limit: int, param: str) -> None:
    """Refuse no texts, and too many."""
    if count == 0:
        raise ApiError(400, f"{param}: nothing to do.", "empty", param=param)
    if count > limit:
        raise ApiError(
            400,
            f"{param}: {count:,} are too many, at most {limit:,} go into a request.",
            "array_above_max_length",
            param=param,
        )


def check_text(text: str, limit: int, param: str) -> None:
    """Refuse a text of more than ``limit`` bytes of UTF-8, and half a surrogate pair."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ApiError(
            400, f"{param}: holds half a surrogate pair.", "invalid_unicode", param=param
        ) from None
    if size > limit:
        raise ApiError(
            400, f"{param}: longer than {limit:,} bytes.", "string_above_max_length", param=param
        )


async def ask(
    batcher: Batcher[Question, Embedded | Ranked],
    items: Sequence[tuple[Question, str]],
    seconds: float,
) -> list[Embedded | Ranked]:
    """The answers in order.

    Raises:
        ApiError: 429 at once when they would take more than ``seconds``; 504 when they have taken
            as long, and what is left is dropped; 400 when a task was taken out while they waited.
    """
    try:
        return await batcher.ask(items, seconds)
    except OverloadError as error:
        retry = min(ceil(error.seconds), _LONGEST_RETRY)
        raise overloaded("more work waits than can be done in time", retry) from None
    except UsageError as error:  # checked before it waited
        raise ApiError(400, f"No longer there: {error}", "unknown_task") from None
    except TimeoutError:
        message = f"No answer within {seconds:g} seconds; send fewer texts, or later."
        raise ApiError(504, message, "deadline_exceeded") from None
