"""The cost of asking several specialists at once."""

import json
import shutil
from pathlib import Path

import pytest

from unmist.artifact import layout, manifest
from unmist.errors import UsageError
from unmist.evaluate import mixed

NAMES = [f"host{i}.example{i % 7}.com" for i in range(20)]


@pytest.fixture
def two(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """The tiny model with its specialist twice, under two names."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_model_folder, folder)
    copy = layout.adapter_folder(folder, "host-other")
    shutil.copytree(layout.adapter_folder(folder, "host-category"), copy)
    card = json.loads((copy / layout.TASK).read_text()) | {"task": "host-other"}
    (copy / layout.TASK).write_text(json.dumps(card))
    manifest.write(folder, "unmist-tiny", "0.0.1")
    return folder


def test_what_each_case_costs(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed, "SPECIALISTS", 2)
    found = mixed.measure(two, NAMES, 2)
    cost = found["cpu_ms"]
    assert len(cost) == 6
    assert min(cost.values()) > 0
    each, one = cost["eight specialists, a row each"], cost["one specialist"]
    assert found["mixed_over_one"] == pytest.approx(each / one, rel=0.05)


def test_too_few_specialists(tiny_model_folder: Path) -> None:
    with pytest.raises(UsageError, match="1 specialists, expected 8"):
        mixed.measure(tiny_model_folder, NAMES, 1)
