"""OpenVINO, imported without its telemetry.

``import openvino`` posts an event to google-analytics.com, from a process of its own, unless it
finds no ``openvino_telemetry``; then it uses a stub of its own. So it must not find it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from unmist.engine.units import has_bf16
from unmist.errors import UsageError

PRECISIONS: Final = ("auto", "f32", "bf16")
_VARIABLE: Final = "UNMIST_PRECISION"
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


def hidden_telemetry() -> AbstractContextManager[None]:
    """Inside this block nothing that is imported finds OpenVINO's telemetry."""
    return _hidden(_TELEMETRY)


with hidden_telemetry():
    import openvino as ov
    from openvino import opset13 as op

__all__ = ["PRECISIONS", "hidden_telemetry", "op", "ov", "precision"]


def precision(wanted: str = "auto") -> str:
    """What an engine computes in: ``f32`` or ``bf16``.

    ``auto`` is what ``UNMIST_PRECISION`` says, else bfloat16 where the CPU multiplies it in units
    of its own (more than twice as fast there, see docs/benchmarks/engines-amx.json), else float32:
    a CPU without such units would only emulate it.

    Raises:
        UsageError: no such precision.
    """
    if wanted == "auto":
        wanted = os.environ.get(_VARIABLE, "auto")
    if wanted not in PRECISIONS:
        raise UsageError(f"no precision {wanted!r}; one of: {', '.join(PRECISIONS)}")
    if wanted == "auto":
        return "bf16" if has_bf16() else "f32"
    return wanted
