"""Detectors that people install, asked in a process of their own, under a Python of their own.

Their packages want old libraries of the kind that no two of them share. A rival that cannot be
imported is left out and named.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from unmist.errors import UsageError
from unmist.evaluate import rivals_worker

DGA = ("dgaintel", "dgad", "nDPI")
PHISHING = ("fraudurl",)


class AbsentError(UsageError):
    """A rival is not installed under its Python."""


def scores(name: str, texts: Sequence[str], pythons: Mapping[str, str]) -> np.ndarray:
    """How suspicious a rival finds each text: float64 [n], higher is more.

    Args:
        name: of :data:`DGA` or :data:`PHISHING`.
        texts: hostnames, or URLs without a scheme.
        pythons: the Python that has a rival's package, by name; others are asked under this one.

    Raises:
        AbsentError: its package is not there.
        UsageError: it is there and failed; the message has the end of its output.
    """
    command = [pythons.get(name, sys.executable), rivals_worker.__file__, name]
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": "1",  # the new Keras cannot read their networks
    }
    try:
        done = subprocess.run(
            command,
            input=json.dumps(list(texts)),
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise AbsentError(f"{name}: {command[0]} cannot be run ({error.strerror})") from error
    if done.returncode == rivals_worker.ABSENT:
        raise AbsentError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    if done.returncode:
        raise UsageError(f"{name}: failed\n{done.stderr[-800:]}")
    out = np.array(json.loads(done.stdout.splitlines()[-1]), np.float64)
    if out.shape != (len(texts),) or not np.isfinite(out).all():
        raise UsageError(
            f"{name}: answered {out.shape} for {len(texts)} texts, or what is no score"
        )
    return out
