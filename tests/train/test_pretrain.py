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
from safetensors.torch import load_file

from unmist.text import Tokenizer
from unmist.train import pretrain, shares
from unmist.train.encoder import Encoder, Shape
from unmist.train.export import load_encoder, load_run
from unmist.train.heldout import HeldOut
from unmist.train.mixture import Batch, Mixture
from unmist.train.pretrain import Run, mask, shape_of
from unmist.train.pretrain_recipe import Recipe
from unmist.train.start import deeper, old_pieces
from unmist.train.tokenizer import train as train_tokenizer

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
from unmist.train.pretrain import Run
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
    monkeypatch.setattr(pretrain, "time", ticking())
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


def test_while_the_rate_falls_tasks_weigh_more(
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], object],
) -> None:
    monkeypatch.setattr(pretrain, "time", ticking())
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


def test_a_warm_start_takes_what_fits(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, encoder_folder: Path
) -> None:
    encoder = load_encoder(encoder_folder)
    how = recipe(1)
    how.shape, how.init = encoder.shape.as_dict(), str(encoder_folder)
    run = Run(tmp_path, how, Mixture(mixture_file), Tokenizer(tokenizer_file))
    for name, value in encoder.state_dict().items():
        assert torch.equal(run.model.encoder.state_dict()[name], value), name
    stored = load_file(encoder_folder / "pretraining.safetensors")
    assert torch.equal(run.model.dense.weight, stored["dense.weight"].float())
    # The folder was asked one of the two questions; the other starts at zero.
    assert torch.equal(run.model.labels.weight[:3], stored["labels.weight"].float())
    assert run.model.labels.weight.shape[0] == 6
    assert not run.model.labels.weight[3:].any()


def test_a_warm_start_from_another_tokenizer(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, encoder_folder: Path
) -> None:
    """A piece that both have keeps its row; a new one starts as the mean of what it was before."""
    names = ["casino-lake.com", "university.edu", "royal-tribune.net"] * 3
    path = tmp_path / "tokenizer.json"
    train_tokenizer(iter(names), vocabulary=330).save(str(path))
    old, new = Tokenizer(tokenizer_file), Tokenizer(path)
    pieces = old_pieces(new, old)
    assert len(pieces) == new.size
    for token, ids in enumerate(pieces):
        assert old.decode(ids) == new.piece(token)
    assert pieces[new.field_id("hostname")] == [old.field_id("hostname")]
    assert any(len(ids) > 1 for ids in pieces)
    how = recipe(1)
    before = load_encoder(encoder_folder)
    how.shape = before.shape.as_dict() | {"vocabulary": new.size}
    how.init = str(encoder_folder)
    run = Run(tmp_path, how, Mixture(mixture_file), new)
    table = before.embeddings.tok_embeddings.weight
    for ids, row in zip(pieces, run.model.encoder.embeddings.tok_embeddings.weight, strict=True):
        torch.testing.assert_close(row, table[ids].mean(0))


def test_what_is_hidden() -> None:
    none = np.zeros(4000, int)
    batch = Batch(np.ones((4000, 11), np.int64), none, none, none)
    hidden = mask(batch, 0.3, 0.4, np.random.default_rng(1))
    assert not hidden[:, 0].any()
    assert hidden[:, 1:].mean() == pytest.approx(0.3 * 0.6, abs=0.02)
    assert (~hidden.any(1)).mean() == pytest.approx(0.4 + 0.6 * 0.7**10, abs=0.03)


def test_named_shapes() -> None:
    assert shape_of("small", 700) == Shape(layers=6, hidden=320, vocabulary=700)
    assert shape_of("3x128", 700) == Shape(layers=3, hidden=128, vocabulary=700)


def test_more_layers_change_nothing_at_first() -> None:
    torch.manual_seed(1)
    shape = Shape(layers=2, hidden=64, vocabulary=50)
    before, after = Encoder(shape), Encoder(Shape(**shape.as_dict() | {"layers": 5}))
    after.load_state_dict(deeper(before.state_dict(), 5))
    ids = torch.randint(0, 50, (4, 7))
    assert torch.allclose(before(ids), after(ids), atol=1e-6)


def test_a_step_in_bfloat16_is_nearly_a_plain_one(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain, "has_bf16", lambda: True)
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
    monkeypatch.setattr(pretrain, "has_bf16", lambda: False)
    plan = recipe(1.0)
    plan.bf16 = True
    run = Run(tmp_path, plan, Mixture(mixture_file), Tokenizer(tokenizer_file))
    assert not run.bf16
    assert run.recipe.bf16  # so that it is in bfloat16 again where there are units
