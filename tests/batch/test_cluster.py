"""A real Ray cluster; and, without one, what the pool does when a worker is lost."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIMIT = 600  # seconds, of which a machine with nothing else to do needs about 30
SCRIPT = Path(__file__).with_name("ray_job.py")


@pytest.mark.timeout(LIMIT + 10)
def test_a_killed_worker_costs_nothing(
    tmp_path: Path, held: Callable[[Path], dict[str, bytes]]
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'unmist[ray]'")
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    # Into files, because processes of Ray hold on to a pipe longer than to life.
    with open(tmp_path / "said", "w") as said_file, open(tmp_path / "errors", "w") as errors:
        status = subprocess.run(command, stdout=said_file, stderr=errors, timeout=LIMIT).returncode
    assert status == 0, (tmp_path / "errors").read_text()[-3000:]
    last = (tmp_path / "said").read_text().splitlines()[-1]
    said: dict[str, Any] = json.loads(last)
    assert said["killed"]
    assert said["lost"]
    assert said["balance"] == [1001, 890, 111, 35, 1]
    assert held(tmp_path / "ray") == held(tmp_path / "here")


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from unmist.batch.cluster import import_ray
    from unmist.errors import UsageError

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'unmist\[ray\]'"):
        import_ray()
