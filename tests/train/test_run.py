"""A pretraining run learns, survives a kill, and goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from unmist.text import Tokenizer
from unmist.train import run as one_run
from unmist.train import shares
from unmist.train.encoder import Shape
from unmist.train.export import load_run
from unmist.train.heldout import HeldOut
from unmist.train.mixture import Batch, Mixture
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run, mask

TASK = "host-category"


def recipe(minutes: float) -> Recipe:
    shape = Shape(layers=1, hidden=64, vocabulary=600).as_dict()
    return Recipe(
        size="1x64", minutes=minutes, batch_tokens=256, batches_a_step=2, lr=2e-3, shape=shape
    )


class Recorded(Run):
    """A run that remembers the rows of every step, and stops after some."""

    def __init__(self, *args: object, stop: int) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.stop, self.seen = stop, []

    def _step(self, batches: list[Batch], progress: float) -> np.ndarray:
        # A fixed pace: the learning rate must not depend on how busy this machine is.
        sums = super()._step(batches, 0.5)
        self.seen.append([batch.ids.tolist() for batch in batches])
        if len(self.seen) == self.stop:
            raise KeyboardInterrupt
        return sums


@pytest.mark.parametrize("muon", [True, False])
def test_a_resumed_run_goes_on_as_if_never_stopped(
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    muon: bool,
) -> None:
    """Five steps at once, or two and three more across a chunk's end: same rows, same weights."""
    monkeypatch.setattr(shares, "CHUNK_ROWS", 200)
    tokenizer, mixture = Tokenizer(tokenizer_file), Mixture(mixture_file)
    how = recipe(60)
    how.muon = muon
    results = []
    for name, stops in (("whole", [12]), ("parts", [3, 9])):
        folder = tmp_path / name
        folder.mkdir()
        seen: list[object] = []
        for stop in stops:
            run = Recorded(folder, how, mixture, tokenizer, stop=stop)
            assert run.state["step"] == len(seen)
            with pytest.raises(KeyboardInterrupt):
                run.train()
            run.save()
            seen += run.seen
        weights = torch.cat([w.detach().flatten() for w in run.model.parameters()])
        results.append((seen, weights, {k: v for k, v in run.state.items() if k != "seconds"}))
    (seen, weights, state), (seen_again, weights_again, state_again) = results
    assert seen == seen_again
    assert state == state_again
    assert state["chunk"] > 0
    assert state["step"] == 12
    assert torch.equal(weights, weights_again)


CHILD = """
import json, sys
from pathlib import Path
import torch
from unmist.text import Tokenizer
from unmist.train.mixture import Mixture
from unmist.train.run import Run
from unmist.train.pretrain_recipe import Recipe
torch.set_num_threads(1)
folder, mixture, tokenizer, recipe = sys.argv[1:]
run = Run(Path(folder), Recipe(**json.loads(recipe)), Mixture(Path(mixture)), Tokenizer(tokenizer))
print("ready", run.state["step"], flush=True)
run.train(report_every=0.05, save_every=0.05)
"""


def test_a_killed_run_resumes(tmp_path: Path, mixture_file: Path, tokenizer_file: Path) -> None:
    how = recipe(60)
    arguments = [str(tmp_path), str(mixture_file), str(tokenizer_file), json.dumps(vars(how))]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.DEVNULL
    ) as process:
        log = tmp_path / "log.jsonl"
        deadline = time.monotonic() + 120
        while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    lines = log.read_text().splitlines()
    with safe_open(tmp_path / "checkpoint.safetensors", "np") as file:
        saved = json.loads(file.metadata()["meta"])
    assert saved["step"] > 0

    how.minutes = (saved["seconds"] + 0.7) / 60
    run = Run(tmp_path, how, Mixture(mixture_file), Tokenizer(tokenizer_file))
    assert {key: saved[key] for key in run.state} == run.state
    run.train(report_every=0.2)
    assert run.state["step"] > saved["step"]
    assert run.state["seconds"] >= how.minutes * 60
    after = log.read_text().splitlines()
    assert after[: len(lines)] == lines
    entries = [json.loads(line) for line in after]
    assert len(entries) > len(lines)
    assert entries[-1]["step"] == run.state["step"]


def test_a_run_learns_and_is_probed(
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], object],
) -> None:
    monkeypatch.setattr(one_run, "time", ticking())
    tokenizer = Tokenizer(tokenizer_file)
    how = recipe(300 / 60)
    (tmp_path / "recipe.json").write_text(json.dumps(vars(how)))
    run = Run(tmp_path, how, Mixture(mixture_file), tokenizer)
    run.train(report_every=50, probe=HeldOut(data_folder, tokenizer, [TASK]))
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert len(entries) == 6
    assert entries[-1]["label_loss"] < entries[0]["label_loss"] < 1.2
    assert entries[-1]["token_loss"] < np.log(600)
    assert 0 < entries[-1]["bits_per_byte"] < 8
    assert entries[-1][TASK] > 1 / 3
    model, questions = load_run(tmp_path)
    assert questions[1]["name"] == TASK
    assert all(
        torch.equal(value, model.state_dict()[name])
        for name, value in run.model.state_dict().items()
    )


def test_while_the_rate_falls_tasks_weigh_more(
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], object],
) -> None:
    monkeypatch.setattr(one_run, "time", ticking())
    monkeypatch.setattr(shares, "CHUNK_ROWS", 500)
    how = recipe(100 / 60)
    found: dict[bool, list[float]] = {False: [], True: []}

    class Watched(Run):
        def _step(self, batches: list[Batch], progress: float) -> np.ndarray:
            task = np.mean([question for batch in batches for question in batch.question])
            found[self.state["annealing"]].append(float(task))
            return super()._step(batches, progress)

    Watched(tmp_path, how, Mixture(mixture_file), Tokenizer(tokenizer_file)).train()
    assert len(found[False]) + len(found[True]) == 100
    assert len(found[True]) == pytest.approx(100 * how.decay, abs=10)
    assert np.mean(found[False]) == pytest.approx(how.task_share, abs=0.05)
    assert np.mean(found[True]) == pytest.approx(how.anneal_task_share, abs=0.05)


def test_what_is_hidden() -> None:
    none = np.zeros(4000, int)
    batch = Batch(np.ones((4000, 11), np.int64), none, none, none)
    hidden = mask(batch, 0.3, 0.4, np.random.default_rng(1))
    assert not hidden[:, 0].any()
    assert hidden[:, 1:].mean() == pytest.approx(0.3 * 0.6, abs=0.02)
    assert (~hidden.any(1)).mean() == pytest.approx(0.4 + 0.6 * 0.7**10, abs=0.03)


def test_a_step_in_bfloat16_is_nearly_a_plain_one(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_run, "has_bf16", lambda: True)
    losses = {}
    for bf16 in (False, True):
        plan = recipe(1.0)
        plan.bf16 = bf16
        run = Run(tmp_path / str(bf16), plan, Mixture(mixture_file), Tokenizer(tokenizer_file))
        losses[bf16] = [
            run._step(b, 0.5)[1:3] for b, _ in zip(run._steps(), range(3), strict=False)
        ]
    assert np.allclose(losses[False], losses[True], rtol=0.05)
    assert not np.array_equal(losses[False], losses[True])


def test_a_cpu_without_units_goes_on_in_float32(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_run, "has_bf16", lambda: False)
    plan = recipe(1.0)
    plan.bf16 = True
    run = Run(tmp_path, plan, Mixture(mixture_file), Tokenizer(tokenizer_file))
    assert not run.bf16
    assert run.recipe.bf16  # so that it is in bfloat16 again where there are units
