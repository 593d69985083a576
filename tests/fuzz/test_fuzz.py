"""A short run of the fuzzer: inputs that hypothesis chooses, and every seed as it is."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    """(targets by name, seeds by target, function that makes an input from a number)."""
    inputs, targets = (runpy.run_path(str(HERE / f"{name}.py")) for name in ("inputs", "targets"))
    found = targets["all_targets"](tmp_path_factory.mktemp("loader"))
    seeds = {name: inputs["load_seeds"](kind) for name, (_, kind) in targets["KINDS"].items()}
    return found, seeds, inputs["make"]


@pytest.mark.parametrize("name", ["readers", "normaliser", "tokenizer", "loader"])
def test_whatever_comes(name, fuzzer):
    targets, seeds, make = fuzzer
    for seed in seeds[name].items():
        targets[name](*seed)

    @settings(max_examples=200)
    @given(st.integers(0, 2**64 - 1))
    def run(number):
        targets[name](*make(seeds[name], number))

    run()


def test_a_target_notices(fuzzer):
    """The checks can fail: a tokenizer that loses a byte is caught."""
    target = fuzzer[0]["tokenizer"]
    whole = target._tokenizer.decode
    target._tokenizer.decode = lambda ids: whole(ids)[:-1]
    try:
        with pytest.raises(AssertionError):
            target("names.txt", b"abc")
    finally:
        del target._tokenizer.decode
