"""FLOP as torch counts them."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from unmist.train import throughput
from unmist.train.encoder import Shape
from unmist.train.pretrainer import Pretrainer


def test_products_of_a_step_as_torch_counts_them() -> None:
    shape = Shape(layers=2, hidden=128, vocabulary=600)
    model = Pretrainer(shape, 3)
    ids = torch.randint(600, (4, 24))
    hidden = torch.arange(10)
    with FlopCounterMode(display=False) as counter:
        states = model.encoder(ids)
        model.token_loss(states.flatten(0, 1)[hidden], ids.flatten()[hidden]).backward()
    counted = throughput.encoder_flops(shape, [(4, 24)]) + throughput.vocabulary_flops(shape, 10)
    # The first layer's input needs a gradient, too: it is the token table's.
    assert counter.get_total_flops() == counted


def test_a_machine_has_a_rate() -> None:
    assert throughput.matrix_rate(bf16=False) > 1e8
