"""All rungs on a tiny model, fits shared between rungs, engines that agree."""

import json
from pathlib import Path

import pytest

from unmist.artifact import layout
from unmist.evaluate import ladder, report_sections
from unmist.evaluate.compare import bodies, fitted
from unmist.evaluate.compare.contenders import weights_of
from unmist.text import Tokenizer
from unmist.text.fields import SPARE

pytestmark = pytest.mark.timeout(900)


def test_single_bytes_become_unknown(encoder_folder: Path) -> None:
    tokenizer = Tokenizer(encoder_folder / layout.TOKENIZER)
    plain = bodies.spelled(tokenizer)(["casino.com", "qzq"], "hostname")
    spare = ladder.without_bytes(tokenizer)(["casino.com", "qzq"], "hostname")
    unknown = tokenizer.special_id(SPARE[0])
    for before, after in zip(plain, spare, strict=True):
        assert before[0] == after[0] == tokenizer.field_id("hostname")
        for old, new in zip(before, after, strict=True):
            assert new == (unknown if len(tokenizer.piece(old)) == 1 else old)
    assert unknown in spare[1]


def test_the_ladder(
    data_folder: Path, tiny_model_folder: Path, peer_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    how = [
        "--data", str(data_folder), "--model", str(tiny_model_folder), "-o", str(tmp_path / "out"),
        "--general", str(peer_folder), "--work", str(tmp_path / "work"), "--rows", "60",
        "--epochs", "1", "--seeds", "1", "--threads", "1", "--no-bf16", "--alone", "2",
    ]  # fmt: skip
    ladder.main(how)
    whole = json.loads((tmp_path / "out/ladder.json").read_text())
    steps = whole["steps"]
    assert [step["how"] for step in steps[-3:]] == ["torch f32", "openvino f32", "openvino bf16"]
    assert len(list((tmp_path / "work/ladder/fits").iterdir())) == len(steps) - 2
    assert steps[-2]["accuracy"] == steps[-3]["accuracy"]  # another engine, the same answers
    assert steps[0]["gained"] is None
    assert steps[-2]["gained"]["value"] == 0
    assert all(step["alone_ms"] > 0 < step["peak_memory_mb"] for step in steps)
    assert report_sections.section("ladder", whole) is not None
    page = (tmp_path / "out/ladder.md").read_text()
    assert page.count("\n| ") == len(steps) + 2
    assert f"Pretrained weights: `{weights_of(tiny_model_folder)}`." in page
    monkeypatch.setattr(fitted, "ask", None)  # again: nothing is asked
    ladder.main(how)
    assert json.loads((tmp_path / "out/ladder.json").read_text())["steps"] == steps
