"""The encoder on the CPU, without torch."""

from unmist.engine.engine import Engine, Output

__all__ = ["Engine", "Output"]
