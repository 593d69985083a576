"""``Annotate`` as it is in Ray Data, Spark and Daft, each in a process of its own."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 600  # seconds, of which a machine with nothing else to do needs about 20
SCRIPT = Path(__file__).with_name("engines.py")


@pytest.mark.timeout(LIMIT + 10)
@pytest.mark.parametrize("engine", ["ray", "pyspark", "daft"])
def test_the_same_step_in_another_engine(engine: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    if engine == "pyspark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is no java on the path")
    # Into a file, because processes of these engines hold on to a pipe longer than to life.
    with open(tmp_path / "said", "w") as said:
        command = [sys.executable, str(SCRIPT), engine]
        status = subprocess.run(command, stdout=said, stderr=said, timeout=LIMIT).returncode
    text = (tmp_path / "said").read_text()
    assert status == 0, text[-3000:]
    assert text.splitlines()[-1] == "the same"
