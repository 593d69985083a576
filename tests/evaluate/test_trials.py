"""Every trial in a fraction of a second, in two lanes, and the page of them."""

import json
from pathlib import Path

import pytest

from unmist.artifact import layout
from unmist.evaluate import trials
from unmist.text import Tokenizer
from unmist.train.mixture import prepare
from unmist.train.pretrain_recipe import Recipe


def test_a_trial_changes_one_thing() -> None:
    known = vars(Recipe())
    every = trials.trials("vectors")
    assert len({trials._slug(one.name) for one in every}) == len(every)
    for one in every:
        assert set(one.recipe) <= set(known)
        assert bool(one.recipe) != (one.kind != "Run")


def test_two_lanes_and_their_page(
    data_folder: Path, encoder_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    kept = [one for one in trials.trials("") if one.letter in {"seed", "mask"}][:5]
    monkeypatch.setattr(trials, "trials", lambda _general: kept)
    tokenizer = Tokenizer(encoder_folder / layout.TOKENIZER)
    mixture = tmp_path / "mixture.safetensors"
    prepare(data_folder, tokenizer, ["hostname"], ["host-category"], mixture)
    how = [
        "--data", str(data_folder), "--model", str(encoder_folder), "--mixture", str(mixture),
        "--work", str(tmp_path / "work"), "--size", "1x64", "--minutes", "0.01",
        "-o", str(tmp_path / "out"),
    ]  # fmt: skip
    for lane in ("1/2", "2/2"):
        trials.main([*how, "--lane", lane])
    whole = json.loads((tmp_path / "out/trials.json").read_text())
    assert [one["name"] for one in whole["trials"]] == [one.name for one in kept]
    for one in whole["trials"]:
        assert one["tokens"] > 0
        assert one["mean"] == pytest.approx(
            sum(one["probes"].values()) / len(one["probes"]), abs=1e-4
        )
    text = (tmp_path / "out/trials.md").read_text()
    assert all(one.name in text for one in kept)
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*/result.json")}
    trials.main(how)  # nothing is left to do
    assert {path: path.stat().st_mtime_ns for path in done} == done
