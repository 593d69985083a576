"""A wide head is the linear layer that it was trained as."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmist.engine.wide import Wide
from unmist.train import wide as training

GENERATOR = np.random.default_rng(1)
WEIGHT = GENERATOR.integers(-127, 128, (256, 3)).astype(np.int8)
SCALE = np.array([0.01, 0.02, 0.5], np.float32)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_logits_are_a_matrix_product_row_by_row(texts: list[bytes]) -> None:
    wide = Wide(WEIGHT, SCALE)
    logits = wide.logits(texts)
    assert (logits.shape, logits.dtype) == ((len(texts), 3), np.float32)
    expected = training.matrix(texts, 8).toarray() @ (WEIGHT * SCALE)
    np.testing.assert_allclose(logits, expected.reshape(-1, 3), rtol=1e-4, atol=1e-4)
    for row, text in zip(logits, texts, strict=True):
        np.testing.assert_array_equal(row, wide.logits([text])[0])


def test_two_labels_and_the_mix() -> None:
    """Where the network knows nothing the n-grams decide, and the other way round."""
    texts = [b"casino%d" % i for i in range(60)] + [b"school%d" % i for i in range(60)]
    labels = np.repeat([0, 1], 60)
    weight, bias = training.train(training.matrix(texts, 12), labels, 2)
    assert weight.shape == (4096, 2)
    dull = np.zeros((120, 2), np.float32)
    sharp = np.stack((1.0 - labels, labels), 1).astype(np.float32) * 9
    for network, actual in ((dull, labels), (sharp, labels), (np.roll(sharp, 60, 0), 1 - labels)):
        mixed = training.mix(weight, bias, network, texts, actual)
        said = mixed.network * network + mixed.bias + mixed.wide.logits(texts)
        assert (said.argmax(1) == actual).mean() > 0.95
        assert (mixed.gain > 0.5) == (network is dull)
        assert mixed.gain > -0.01  # at worst it has nothing to say
    assert (mixed.wide.scale < 0.05).all()


def test_out_of_fold_logits_do_not_know_their_own_group() -> None:
    """A group whose text says nothing of its label is guessed, although it is known by heart."""
    generator = np.random.default_rng(1)
    groups = [f"group {number}" for number in range(120) for _ in range(4)]
    labels = np.repeat(generator.integers(0, 2, 120), 4)
    texts = [f"{generator.bytes(8).hex()}".encode() for _ in range(120)]
    grams = training.matrix([text for text in texts for _ in range(4)], 14)
    weight, bias = training.train(grams, labels, 2)
    assert ((grams @ weight + bias).argmax(1) == labels).mean() > 0.95
    held = training.out_of_fold(grams, labels, 2, groups)
    assert (held.shape, held.dtype) == ((480, 2), np.float32)
    assert (held.argmax(1) == labels).mean() < 0.65
    alone = training.out_of_fold(grams, labels, 2, [""] * 480)  # copies in other folds tell
    assert (alone.argmax(1) == labels).mean() > 0.95


def test_folds_without_a_choice_say_nothing() -> None:
    grams = training.matrix([b"casino", b"school"], 8)
    held = training.out_of_fold(grams, np.array([0, 1]), 2, ["one", "other"])
    assert np.array_equal(held, np.zeros((2, 2)))
