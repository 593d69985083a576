"""Jobs ended at 50 random moments; ``UNMIST_KILL_POINTS`` asks for more, ``_SEED`` for others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SCRIPT = Path(__file__).with_name("attempts.py")
KILLS = 5
LIMIT = 1200  # seconds, of which a machine with nothing else to do needs about 30


@pytest.mark.timeout(LIMIT + 10)
def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    points = int(os.environ.get("UNMIST_KILL_POINTS", "50"))
    seed = os.environ.get("UNMIST_KILL_SEED", "1")
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(points - KILLS), str(KILLS), seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    assert f"'died': {points - KILLS}" in done.stdout
