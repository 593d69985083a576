"""Probe suite on frozen vectors, for models of ours and for peers. Needs ``unmist[train]``."""

from unmist.evaluate.probes.encoders import Cached, Encoder, Ours, Peer
from unmist.evaluate.probes.kept import read as read_kept
from unmist.evaluate.probes.kept import with_kept
from unmist.evaluate.probes.report import markdown
from unmist.evaluate.probes.rows import Limits
from unmist.evaluate.probes.suite import run

__all__ = [
    "Cached",
    "Encoder",
    "Limits",
    "Ours",
    "Peer",
    "markdown",
    "read_kept",
    "run",
    "with_kept",
]
