"""An explanation covers every byte and tells what the network would say without them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from unmist.cli import explain as cli
from unmist.cli import main
from unmist.errors import UsageError
from unmist.explain import MAX_SPANS, Examples, Explanation, byte_weights, spans
from unmist.model import Model
from unmist.verdict import Verdict

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


@given(st.binary(max_size=MAX_SPANS))
def test_byte_weights_of_a_network_that_adds_its_bytes(data: bytes) -> None:
    """Removing two bytes takes their sum; the mean of both windows is the byte and half of each
    neighbour."""
    found = byte_weights(data, lambda texts: np.array([float(sum(text)) for text in texts]))
    assert len(found) == len(data)
    for i in range(1, len(data) - 1):
        assert found[i] == data[i] + (data[i - 1] + data[i + 1]) / 2


@given(st.binary(min_size=1, max_size=2000))
def test_byte_weights_cost_as_much_whatever_the_length(data: bytes) -> None:
    asked: list[bytes] = []

    def log_odds(texts: list[bytes]) -> np.ndarray:
        asked.extend(texts)
        return np.array([float(len(text)) for text in texts])

    weights = byte_weights(data, log_odds)
    assert len(weights) == len(data)
    assert len(asked) <= MAX_SPANS + 1
    assert min(weights) >= 1


def test_nearest_are_those_of_the_label_in_order(tiny_model: Model) -> None:
    texts = ["casino-lake.com", "poker-lake.com", "school-lake.com", "casino-river.com"]
    labels = ["gambling", "gambling", "education", "gambling"]
    examples = Examples(texts, labels, tiny_model.embed(texts))
    found = tiny_model.explain("www.casino-river.com", examples=examples, nearest=2).nearest
    assert len(found) == 2
    assert found[0].text == "casino-river.com"
    assert found[0].cosine == pytest.approx(1, abs=1e-4)
    assert found[0].cosine > found[1].cosine
    assert {near.label for near in found} == {"gambling"}
    assert not tiny_model.explain("casino-river.com").nearest
    with pytest.raises(UsageError, match="4 texts, 1 labels"):
        Examples(texts, ["x"], tiny_model.embed(texts))


def test_hiding_what_drove_a_label_lowers_it_most(tiny_model: Model) -> None:
    explanation = tiny_model.explain("www.Casino-River.com")
    assert explanation.read == "casino-river.com"
    assert explanation.verdict == tiny_model.classify(["www.Casino-River.com"])[0]
    assert explanation.verdict.model_label == "gambling"
    strongest = max(explanation.spans, key=lambda span: span.weight)
    assert strongest.weight > 0
    assert strongest.text in "casino"
    assert int(np.argmax(explanation.byte_weights)) < len("casino")


@settings(max_examples=12)
@given(st.binary(max_size=60))
def test_any_bytes(tiny_model: Model, data: bytes) -> None:
    explanation = tiny_model.explain(data)
    if explanation.verdict.model_label is None:
        assert not explanation.spans
    else:  # "." is nothing once it is normalised
        assert bool(explanation.spans) == bool(explanation.read) == bool(explanation.byte_weights)
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


def test_examples_of_a_file(tiny_model_folder: object, tmp_path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("text,label\ncasino-lake.com,gambling\nschool-lake.com,education\n,news\n")
    how = ["explain", "--model", str(tiny_model_folder), "casino-river.com"]
    result = CliRunner().invoke(main, [*how, "--examples", str(path)])
    assert result.exit_code == 0
    assert "like" in result.stdout
    assert "casino-lake.com" in result.stdout
    assert "school-lake.com" not in result.stdout
    assert "1 examples left out" in result.stderr
    said = json.loads(CliRunner().invoke(main, [*how, "--examples", str(path), "--jsonl"]).stdout)
    assert [near["text"] for near in said["nearest"]] == ["casino-lake.com"]
    assert len(said["byte_weights"]) == len("casino-river.com")
    path.write_text("text,label\na.com,astrology\n")
    result = CliRunner().invoke(main, [*how, "--examples", str(path)])
    assert result.exit_code == 2
    assert "no example carries a label of host-category" in result.stderr


def painted(read: str, weights: list[float]) -> str:
    verdict = Verdict(
        text=read, field="hostname", task="t", label="x", score=1.0, status="ok", reason=None,
        model_label="x", model_score=1.0,
    )  # fmt: skip
    return "\n".join(cli._lines(Explanation(verdict, read, (), tuple(weights)), colour=True))


def test_colours_follow_the_bytes_and_hostile_text_stays_harmless() -> None:
    green, red, plain = "\x1b[32m\x1b[1m", "\x1b[31m\x1b[1m", "\x1b[0m"
    assert painted("abcde", [2, 2, 0.1, -1, -0.1]).startswith(
        f"{green}ab{plain}c{red}d{plain}e  x 1.00"
    )
    # A character takes the strongest of its bytes; an escape of the text's own is written out.
    assert painted("é\x1b", [0, 2, 0]).startswith(f"{green}é{plain}\\x1b  ")
    assert painted("\\xff", [1.0]).startswith("\\xff  ")  # one byte, shown as four characters
    assert painted("ab", [0, 0]).startswith("ab  ")
