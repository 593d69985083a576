"""SIGKILL at random moments. ``UNMIST_KILL_POINTS`` asks for more of them, ``_SEED`` for others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SCRIPT = Path(__file__).with_name("attempts.py")


def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    points = os.environ.get("UNMIST_KILL_POINTS", "10")
    seed = os.environ.get("UNMIST_KILL_SEED", "1")
    command = [sys.executable, str(SCRIPT), str(tmp_path), points, seed]
    limit = 60 + 5 * int(points)
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    assert done.returncode == 0, done.stderr
    assert " kills in " in done.stdout
