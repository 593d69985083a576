"""unmist: labels, calibrated scores and vectors for security text, offline on a CPU.

>>> import unmist
>>> model = unmist.load()
>>> model.classify(["mail.google.com"])[0].status in ("ok", "abstain")
True
"""

from typing import TYPE_CHECKING, Any

from unmist.errors import InputError, ModelError, OutputError, UnmistError, UsageError
from unmist.verdict import Verdict

if TYPE_CHECKING:
    from unmist.model import Model, load

__all__ = [
    "InputError",
    "Model",
    "ModelError",
    "OutputError",
    "UnmistError",
    "UsageError",
    "Verdict",
    "load",
]
_LAZY = {"Model", "load"}


def __getattr__(name: str) -> Any:
    # The engine takes a third of a second to import; asking for the version should not pay for it.
    if name in _LAZY:
        from unmist import model

        return getattr(model, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("unmist")
    raise AttributeError(f"module 'unmist' has no attribute {name!r}")
