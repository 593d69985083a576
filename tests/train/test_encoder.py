"""Our encoder is ModernBERT, tensor by tensor."""

from pathlib import Path

import pytest
import torch
from transformers import ModernBertConfig, ModernBertModel

from unmist.train.encoder import SIZES, Encoder, Shape
from unmist.train.export import load_encoder, shape_of_config


@pytest.mark.parametrize("length", [1, 7, 64])
def test_outputs_are_those_of_transformers(encoder_folder: Path, length: int) -> None:
    ours = load_encoder(encoder_folder).eval()
    config = ModernBertConfig.from_pretrained(encoder_folder)
    theirs = ModernBertModel(config).eval()
    theirs.load_state_dict(ours.state_dict())
    ids = torch.randint(1, 600, (3, length), generator=torch.Generator().manual_seed(length))
    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        hidden = ours(ids)
        torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.pool(ids), expected.mean(1), atol=1e-5, rtol=0)
    assert hidden.std() > 0.5


def test_the_config_holds_the_shape(encoder_folder: Path) -> None:
    config = ModernBertConfig.from_pretrained(encoder_folder)
    shape = load_encoder(encoder_folder).shape
    assert shape_of_config(config.to_dict()) == shape
    assert (shape.layers, shape.hidden, shape.heads, shape.intermediate) == (2, 64, 2, 96)


@pytest.mark.parametrize(("size", "limit"), [("edge", 10e6), ("small", 25e6), ("base", 120e6)])
def test_sizes_stay_within_their_budget(size: str, limit: float) -> None:
    with torch.device("meta"):
        encoder = Encoder(Shape(**SIZES[size].as_dict() | {"layers": 1}))
    layer = sum(weight.numel() for weight in encoder.layers.parameters())
    rest = sum(weight.numel() for weight in encoder.parameters()) - layer
    total = rest + SIZES[size].layers * layer
    assert limit / 10 < total < limit
