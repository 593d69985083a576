"""An explanation covers every byte and tells what the network would say without them."""

import json

import numpy as np
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from unmist.cli import main
from unmist.explain import MAX_SPANS, spans
from unmist.model import Model

MASK = 1


@given(st.lists(st.tuples(st.integers(2, 9), st.binary(min_size=1, max_size=4)), max_size=300))
def test_weights_are_what_hiding_changes(tokens: list[tuple[int, bytes]]) -> None:
    """A network whose log-odds are the sum of the ids: hiding a token takes its id minus one."""
    ids, pieces = [0, *(i for i, _ in tokens)], [b"", *(piece for _, piece in tokens)]
    found = spans(ids, pieces, MASK, lambda rows: np.array([float(sum(row)) for row in rows]))
    assert len(found) <= MAX_SPANS
    data = b"".join(pieces)
    assert [span.start for span in found] == [0, *(span.stop for span in found[:-1])][: len(found)]
    assert (found[-1].stop if found else 0) == len(data)
    assert sum(span.weight for span in found) == sum(ids) - len(tokens)
    for span in found:
        assert span.text == data[span.start : span.stop].decode("utf-8", "backslashreplace")


def test_hiding_what_drove_a_label_lowers_it_most(tiny_model: Model) -> None:
    explanation = tiny_model.explain("www.Casino-River.com")
    assert explanation.read == "casino-river.com"
    assert explanation.verdict == tiny_model.classify(["www.Casino-River.com"])[0]
    assert explanation.verdict.model_label == "gambling"
    strongest = max(explanation.spans, key=lambda span: span.weight)
    assert strongest.weight > 0
    assert strongest.text in "casino"


@settings(max_examples=25)
@given(st.binary(max_size=60))
def test_any_bytes(tiny_model: Model, data: bytes) -> None:
    explanation = tiny_model.explain(data)
    if explanation.verdict.model_label is None:
        assert not explanation.spans
    else:  # "." is nothing once it is normalised
        assert bool(explanation.spans) == bool(explanation.read)
    assert all(np.isfinite(span.weight) for span in explanation.spans)


def test_the_command(tiny_model_folder: object) -> None:
    model = ["--model", str(tiny_model_folder)]
    result = CliRunner().invoke(main, ["explain", *model, "casino-river.com", "\x1b[31m.com", " "])
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "gambling" in result.stdout
    assert "bad_input: empty" in result.stdout
    result = CliRunner().invoke(main, ["explain", *model, "--jsonl"], input="casino-river.com\n")
    said = json.loads(result.stdout)
    assert said["model_label"] == "gambling"
    assert "".join(span["text"] for span in said["spans"]) == said["read"] == "casino-river.com"
    result = CliRunner().invoke(main, ["explain", *model, "--task", "astrology", "x"])
    assert result.exit_code == 2
