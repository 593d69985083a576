"""Ours as detectors, beside rivals that may not be there."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard

from unmist.errors import UsageError
from unmist.evaluate import detection, detection_page, detectors, rivals


def test_detection(
    data_folder: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmless = [(f"school-{i}.org", "x") for i in range(50)]
    asked = detectors.Asked(harmless, {"betting": [("goldencasino.com", "y")]})
    found = {"host-category": (lambda data: asked, "gambling", ("dgaintel",))}
    monkeypatch.setattr(detection, "TASKS", found)
    arguments = [
        "--data", str(data_folder), "--model", str(tiny_model_folder), "--threads", "1",
        "--work", str(tmp_path / "work"), "-o", str(tmp_path / "out"),
        "--python", f"dgaintel={tmp_path / 'nowhere'}",
    ]  # fmt: skip
    detection.main(arguments)
    whole = json.loads((tmp_path / "out/detection.json").read_text())
    detected = whole["tasks"]["host-category"]["detectors"]
    assert set(detected) == {f"unmist {tiny_model_folder.name}", "n-grams"}
    assert all(one["own"]["betting"]["value"] == 1 for one in detected.values())
    assert "cannot be run" in whole["absent"]["dgaintel"]
    page = (tmp_path / "out/detection.md").read_text()
    assert "| betting (1) |" in page
    assert page == detection_page.page(whole)
    monkeypatch.setattr(detectors, "ngrams", None)  # nobody else is asked again
    detection.main([*arguments, "--ours-only"])
    again = json.loads((tmp_path / "out/detection.json").read_text())
    assert again["tasks"] == whole["tasks"]
    asked.parts["betting"].append(("royalcasino.com", "z"))
    with pytest.raises(UsageError, match="of other rows"):
        detection.main([*arguments, "--ours-only"])
    (tmp_path / "out/detection.json").unlink()
    with pytest.raises(UsageError, match="not there"):
        detection.main([*arguments, "--ours-only"])


def test_a_page() -> None:
    names = [name for kind in detectors.KINDS.values() for name in kind]
    share = {name: {"value": i / 10, "low": 0, "high": 1} for i, name in enumerate(names)}
    own = share | {"alarms": {"value": 0.5, "low": 0.4, "high": 0.6}}
    said = {"at_alarms": share, "own": own}
    task = {
        "harmless": 100,
        "parts": {name: 20 for name in names},
        "detectors": {"unmist small": said, "nDPI": {"at_alarms": None, "own": own}},
    }
    then = {"date": "2026-11-24", "machine": "m"}
    absent = {"dgad": "dgad: no such module"}
    page = detection_page.page(
        {"tasks": {"host-dga": task}, "absent": absent, "circumstances": then}
    )
    assert "|  | unmist small |\n" in page
    assert "|  | unmist small | nDPI |\n" in page
    assert "| mean of word lists | 10.0 |" in page
    assert "| **mean of all held-out families** | 40.0 |" in page
    assert "- dgad: dgad: no such module" in page


def test_a_threshold_lets_one_in_a_hundred_through() -> None:
    harmless = np.arange(1000) / 1000
    limit = detectors.threshold(harmless)
    assert (harmless > limit).mean() == pytest.approx(0.01)
    assert detectors.threshold(np.ones(200)) == 1.0


def test_what_a_detector_flags() -> None:
    harmless = [(f"h{i}", f"h{i}") for i in range(200)]
    asked = detectors.Asked(harmless, {"found": [("x1", "x"), ("x2", "x")], "missed": [("h", "y")]})
    said = detectors.measure(
        asked, lambda texts: np.array([0.9 if t[0] == "x" else 0.001 * len(t) for t in texts])
    )
    assert said["at_alarms"]["found"]["value"] == 1
    assert said["at_alarms"]["missed"]["value"] == 0
    assert said["own"]["alarms"]["value"] == 0
    rules = detectors.measure(asked, lambda texts: np.array([float(t[0] == "x") for t in texts]))
    assert rules["at_alarms"] is None
    assert rules["own"]["found"]["value"] == 1


def test_rows_of_the_dga_task(tmp_path: Path) -> None:
    rows = {
        "test": ["a.com\tbenign\ta.com\tcrux,tranco", "qx.com\tdga\tqx.com\tbaderj:tinba"],
        "heldout_family": [
            "degreechoose.net\tdga\tdegreechoose.net\tbaderj_generator:suppobox",
            "k2a.net\tdga\tk2a.net\tbaderj:pitou",
        ],
        "cdn_cloud": ["x1.cloudapp.net\tbenign\tcloudapp.net\tlist"],
    }
    folder = tmp_path / "tasks" / "host-dga"
    folder.mkdir(parents=True)
    for split, lines in rows.items():
        text = "\n".join(["text\tlabel\tgroup\tsource", *lines, ""])
        (folder / f"{split}.tsv.zst").write_bytes(zstandard.compress(text.encode()))
    asked = detectors.dga_rows(tmp_path)
    assert asked.harmless == [("a.com", "a.com")]
    assert asked.parts == {
        detectors.SEEN: [("qx.com", "qx.com")],
        "suppobox": [("degreechoose.net", "degreechoose.net")],
        detectors.RARE: [("k2a.net", "k2a.net")],
        detectors.CLOUD: [("x1.cloudapp.net", "cloudapp.net")],
    }


def test_scores_are_kept(tmp_path: Path) -> None:
    asked: list[int] = []

    def score(texts: object) -> np.ndarray:
        asked.append(1)
        return np.array([0.25])

    for _ in range(2):
        assert detectors.kept(score, tmp_path, "a")(["x"]).tolist() == [0.25]
    assert len(asked) == 1
    detectors.kept(score, tmp_path, "b")(["x"])
    assert len(asked) == 2


def test_a_rival_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(rivals.AbsentError, match="cannot be run"):
        rivals.scores("dgad", ["a.com"], {"dgad": str(tmp_path / "python")})
    package = tmp_path / "site"
    (package / "dgaintel").mkdir(parents=True)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={package} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with pytest.raises(rivals.AbsentError, match="dgaintel"):
        rivals.scores("dgaintel", ["a.com"], {"dgaintel": str(python)})
    (package / "dgaintel" / "__init__.py").touch()
    (package / "dgaintel" / "predict.py").write_text(
        "def get_prob(names, raw):\n    return [0.5 if 'x' in n else 0.1 for n in names]\n"
    )
    said = rivals.scores("dgaintel", ["x.com", "a.com"], {"dgaintel": str(python)})
    assert said.tolist() == [0.5, 0.1]
    (package / "dgaintel" / "predict.py").write_text("def get_prob(n, raw): return [float('nan')]")
    with pytest.raises(UsageError, match="no score"):
        rivals.scores("dgaintel", ["x.com"], {"dgaintel": str(python)})
