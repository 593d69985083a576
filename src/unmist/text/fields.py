"""Field kinds: what sort of security text a row is. A field-kind token opens every row."""

from typing import Final

FIELDS: Final[tuple[str, ...]] = (
    "hostname",
    "url",
    "http",
    "header",
    "command",
    "path",
    "certificate",
    "log",
    "cloud",
    "prose",
    "other",
)
PAD: Final = "[PAD]"
MASK: Final = "[MASK]"
SPARE: Final = ("[SPARE0]", "[SPARE1]", "[SPARE2]")


def field_token(field: str) -> str:
    """The special token that opens a row of this kind, e.g. ``[HOSTNAME]``."""
    return f"[{field.upper()}]"


# Order is the id order: padding is 0, so a zeroed array is an all-padding batch.
SPECIAL_TOKENS: Final[tuple[str, ...]] = (PAD, MASK, *SPARE, *(field_token(f) for f in FIELDS))
