"""The command that pretrains: its recipe is stored, and a run goes on with it."""

import json
import sys
from pathlib import Path

import pytest
import torch

from unmist.train import pretrain
from unmist.train.encoder import Shape
from unmist.train.pretrain import shape_of

TASK = "host-category"


def test_the_command_line(
    tmp_path: Path,
    data_folder: Path,
    tokenizer_file: Path,
    mixture_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = torch.get_num_threads()
    command = ["pretrain", "--data", str(data_folder), "--tokenizer", str(tokenizer_file)]
    command += ["--mixture", str(mixture_file), "--run", str(tmp_path / "run"), "--size", "1x64"]
    command += ["--probes", TASK]
    monkeypatch.setattr(sys, "argv", [*command, "--minutes", "0.005", "--no-muon"])
    pretrain.main()
    stored = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert stored["muon"] is False
    assert stored["shape"] == Shape(layers=1, hidden=64, vocabulary=600).as_dict()
    # Resumed with more time: what else the recipe says stays.
    monkeypatch.setattr(sys, "argv", [*command, "--minutes", "0.01", "--lr", "1"])
    pretrain.main()
    torch.set_num_threads(threads)
    again = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert again == stored | {"minutes": 0.01}


def test_named_shapes() -> None:
    assert shape_of("small", 700) == Shape(layers=6, hidden=320, vocabulary=700)
    assert shape_of("3x128", 700) == Shape(layers=3, hidden=128, vocabulary=700)
