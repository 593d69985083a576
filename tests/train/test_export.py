"""What export writes is what was trained, at half precision."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from unmist.artifact import layout, manifest, verify
from unmist.text import Tokenizer
from unmist.train.encoder import Shape
from unmist.train.export import export_encoder, load_encoder
from unmist.train.pretrainer import Pretrainer


def test_weights_come_back(tmp_path: Path, tokenizer_file: Path) -> None:
    shape = Shape(layers=2, hidden=64, vocabulary=Tokenizer(tokenizer_file).size)
    model = Pretrainer(shape, 3)
    export_encoder(model, [{"name": "q", "labels": ["a", "b", "c"]}], tokenizer_file, tmp_path)
    stored = load_file(tmp_path / layout.WEIGHTS)
    assert {value.dtype for value in stored.values()} == {torch.float16}
    encoder = load_encoder(tmp_path)
    assert encoder.shape == shape
    for name, value in model.encoder.state_dict().items():
        torch.testing.assert_close(encoder.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    heads = load_file(tmp_path / layout.PRETRAINING)
    assert set(heads) == {"bias", "dense.weight", "labels.bias", "labels.weight", "norm.weight"}
    manifest.write(tmp_path, "a", "1")
    assert set(verify(tmp_path)[0].files) >= {"config.json", "modules.json", "tokenizer.json"}
