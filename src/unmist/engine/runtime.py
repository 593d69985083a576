"""OpenVINO, imported without its telemetry.

``import openvino`` posts an event to google-analytics.com, from a process of its own, unless it
finds no ``openvino_telemetry``; then it uses a stub of its own. So it must not find it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TELEMETRY: Final = "openvino_telemetry"


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let ``import name`` fail inside the block, whether or not it is imported already."""
    before = sys.modules.pop(name, None)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


with _hidden(_TELEMETRY):
    import openvino as ov
    from openvino import opset13 as op

__all__ = ["op", "ov"]
