"""The one recipe: bodies, LoRA, the examples seen, the cap."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmist.errors import InputError
from unmist.evaluate.compare import bodies, light, training
from unmist.evaluate.compare.rows import Limits, TaskData, read
from unmist.evaluate.compare.training import Classifier, Recipe
from unmist.evaluate.probes import Peer
from unmist.train.export import load_encoder


@pytest.fixture(scope="module")
def data(data_folder: Path) -> TaskData:
    return read(data_folder, "host-category", Limits(train=240, dev=30))


def test_a_body_is_what_the_library_makes_of_the_folder(peer_folder: Path) -> None:
    body, texts = bodies.peer(peer_folder), ["login.irs.gov", "bbc.co.uk"]
    ids = body.encode(texts, "hostname")
    assert ids[0][:3] == [2, body.encode(["q"], "hostname")[0][1], ids[1][2]]
    with torch.inference_mode():
        found = torch.cat([body(torch.tensor([row])) for row in ids])
    found = torch.nn.functional.normalize(found)
    expected = Peer("tiny", peer_folder).vectors(texts, "hostname")
    assert np.abs(found.numpy() - expected).max() < 1e-5


def test_a_folder_that_pools_in_another_way(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mean pooling"):
        bodies.peer(tmp_path)


def test_whole_learns(data: TaskData) -> None:
    torch.manual_seed(1)
    classifier = Classifier(light.character_cnn(), 3)
    recipe = Recipe(epochs=6, minutes=60, batch_rows=16, head_lr=1e-2)
    course = training.fit(classifier, data, 3e-3, recipe, seed=1)
    assert (course.examples, course.cut) == (6 * 240, False)
    texts = [row.text for row in data.test]
    said = training.predict(classifier, texts, data.field, bf16=False)
    assert (said == data.numbers(data.test)).mean() > 0.7


@pytest.mark.parametrize("whose", ["ours", "peer"])
def test_lora_moves_its_factors_and_the_head_only(
    whose: str, data: TaskData, encoder_folder: Path, peer_folder: Path
) -> None:
    body = bodies.ours(encoder_folder) if whose == "ours" else bodies.peer(peer_folder)
    classifier = Classifier(body, 3)
    layers = len(body.linear())
    classifier.adapt(rank=2)
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    course = training.fit(classifier, data, 1e-3, Recipe(epochs=1, minutes=60, bf16=True), seed=1)
    changed = {
        name for name, value in classifier.state_dict().items() if not value.equal(before[name])
    }
    assert all("lora_" in name or name.startswith("head.") for name in changed)
    assert sum("lora_B" in name for name in changed) == layers
    assert 0 < course.trained < sum(w.numel() for w in classifier.parameters())


def test_the_cap(data: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setattr(training, "time", ticks)
    classifier = Classifier(light.character_cnn(), 3)
    course = training.fit(classifier, data, 1e-3, Recipe(minutes=5 / 60), seed=1)
    assert course.cut
    assert 0 < course.examples < 240


def test_random_shape_under_another_tokenizer(encoder_folder: Path, peer_folder: Path) -> None:
    encoder = load_encoder(encoder_folder)
    body = bodies.of_encoder(encoder, bodies.peer_spelling(peer_folder))
    assert body(torch.tensor(body.encode(["a.com"], "hostname"))).shape == (1, 64)
    assert bodies.peer_vocabulary(peer_folder) == 82
