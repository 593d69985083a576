"""A tiny model, made by the same code that makes the real one, and the data it was made from."""

import itertools
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import pytest
import zstandard

if TYPE_CHECKING:
    from unmist.model import Model

# Answers are compared with torch's to 1e-5, on whatever CPU the tests run.
os.environ["UNMIST_PRECISION"] = "f32"

# Wall-clock limits say nothing on a machine that is busy with something else.
hypothesis.settings.register_profile("unmist", deadline=None, max_examples=60, database=None)
hypothesis.settings.load_profile("unmist")

TASK = "host-category"
FIRST = {
    "education": ("school", "university", "college", "campus", "academy", "faculty", "students"),
    "gambling": ("casino", "poker", "bet", "slots", "jackpot", "roulette", "lottery"),
    "news": ("news", "daily", "times", "herald", "press", "tribune", "gazette"),
}
SECOND = ("river", "north", "golden", "metro", "lake", "stone", "blue", "royal", "green", "west")
ENDS = ("com", "org", "net", "co.uk", "de", "com.br", "info")
HOSTS = ("", "www.", "mail.", "cdn.", "m.", "api-v2.")
TOML = """\
title = "Names of three kinds"
field = "hostname"
labels = ["education", "gambling", "news"]
columns = ["text", "label", "group", "source"]
split = "by turns"
licence = "CC0-1.0"
known_noise = "none"
"""


def labelled() -> list[tuple[str, str, str]]:
    """(name, label, registrable domain) of every combination, in a fixed random order."""
    rows = []
    for (label, words), second, end in itertools.product(FIRST.items(), SECOND, ENDS):
        for number, word in enumerate(words):
            domain = f"{word}-{second}.{end}" if number % 2 else f"{second}{word}.{end}"
            rows.append((HOSTS[len(rows) % len(HOSTS)] + domain, label, domain))
    random.Random(1).shuffle(rows)
    return rows


def write_zst(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.compress(text.encode()))


def ticks() -> SimpleNamespace:
    """Stands in for ``time``: a clock that ticks when it is read.

    Training ends by the clock. With this one it takes the same steps however busy a machine is,
    so that what it reaches can be tested.
    """
    return SimpleNamespace(monotonic=itertools.count().__next__)


@pytest.fixture(scope="session")
def ticking() -> Callable[[], SimpleNamespace]:
    """:func:`ticks`."""
    return ticks


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pretrain/hostname`` with three lists and ``tasks/host-category`` with three labels."""
    folder = tmp_path_factory.mktemp("data")
    rows = labelled()
    for label in FIRST:
        names = [name for name, kind, _ in rows if kind == label]
        write_zst(folder / f"pretrain/hostname/{label}.txt.zst", "\n".join(names) + "\n")
    task = folder / "tasks" / TASK
    splits = {"test": rows[:200], "dev": rows[200:500], "train": rows[500:]}
    for split, part in splits.items():
        lines = [f"{name}\t{label}\t{group}\tmade up" for name, label, group in part]
        write_zst(task / f"{split}.tsv.zst", "\n".join(["text\tlabel\tgroup\tsource", *lines, ""]))
    (task / "task.toml").write_text(TOML)
    return folder


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE of about 600 tokens."""
    from unmist.train import tokenizer

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    texts = (text for name, _, _ in labelled() for text in (name, f"https://{name}/index.html?q=1"))
    tokenizer.train(texts, vocabulary=600).save(str(path))
    return path


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer_file: Path) -> Path:
    """A model folder without specialists and without a manifest; random weights."""
    import torch

    from unmist.text import Tokenizer
    from unmist.train.encoder import Shape
    from unmist.train.export import export_encoder
    from unmist.train.pretrainer import Pretrainer

    torch.set_num_threads(1)
    torch.manual_seed(1)
    vocabulary = Tokenizer(tokenizer_file).size
    shape = Shape(layers=2, hidden=64, head_width=32, vocabulary=vocabulary, max_tokens=128)
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    questions: list[dict[str, object]] = [{"name": "source of hostname", "labels": list(FIRST)}]
    export_encoder(Pretrainer(shape, len(FIRST)), questions, tokenizer_file, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model_folder(
    tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, data_folder: Path
) -> Path:
    """A whole model folder with one specialist, trained for 300 ticks. Read it; never write."""
    from unmist.artifact import manifest
    from unmist.train import adapter, fitting
    from unmist.train.specialist import Recipe

    folder = tmp_path_factory.mktemp("model") / "tiny"
    shutil.copytree(encoder_folder, folder)
    recipe = Recipe(minutes=300 / 60, lr=1e-2, precision=0.9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "time", ticks())
        adapter.train_task(folder, data_folder, TASK, recipe)
    manifest.write(folder, "unmist-tiny", "0.0.1")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path) -> "Model":
    """The tiny model, opened on one thread."""
    import unmist

    return unmist.load(tiny_model_folder, threads=1)


@pytest.fixture
def model_copy(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to damage."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))


@pytest.fixture
def change_json() -> Callable[..., None]:
    """Change keys of a JSON file and sign the folder anew, so that only the content is at fault."""
    from unmist.artifact import manifest

    def change(model: Path, name: str, **values: object) -> None:
        path = model / name
        path.write_text(json.dumps(json.loads(path.read_text()) | values))
        manifest.write(model, "unmist-tiny", "0.0.1")

    return change
