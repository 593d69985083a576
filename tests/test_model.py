"""The contract of ``embed`` and ``classify``."""

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unmist
from unmist.artifact import layout
from unmist.engine import Output
from unmist.errors import ModelError, UsageError
from unmist.io import Row
from unmist.model import Model
from unmist.train.own import rename

NAMES = ["casino-lake.com", "", "greenuniversity.org", "www.royal-tribune.net", " \t", "x"]
TASK = "host-category"


@pytest.fixture
def counted(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call of the engine was given."""
    calls: list[int] = []
    engine = tiny_model._engine
    run, run_mixed = engine.run, engine.run_mixed

    def counting(rows: Sequence[Sequence[int]], task: str | None = None) -> Output:
        calls.append(len(rows))
        return run(rows, task)

    def counting_mixed(
        rows: Sequence[Sequence[int]], asked: Sequence[tuple[int, str]]
    ) -> list[np.ndarray]:
        calls.append(len(rows))
        return run_mixed(rows, asked)

    monkeypatch.setattr(engine, "run", counting)
    monkeypatch.setattr(engine, "run_mixed", counting_mixed)
    tiny_model.cache_clear()
    return calls


def cautious(model_copy: Path, change_json, threshold: float) -> Model:
    """The tiny model with one threshold for all labels."""
    name = f"adapters/{TASK}/task.json"
    labels = ("education", "gambling", "news")
    change_json(model_copy, name, thresholds=dict.fromkeys(labels, threshold))
    return unmist.load(model_copy, threads=1)


def test_one_verdict_for_each_text_in_order(tiny_model: Model) -> None:
    verdicts = tiny_model.classify(NAMES)
    assert [verdict.text for verdict in verdicts] == NAMES
    assert {(verdict.field, verdict.task) for verdict in verdicts} == {("hostname", TASK)}
    assert {(verdict.source, verdict.line) for verdict in verdicts} == {(None, None)}
    assert [verdict.status == "bad_input" for verdict in verdicts] == [not n.strip() for n in NAMES]


def test_clear_names_get_their_label(tiny_model: Model) -> None:
    verdicts = tiny_model.classify(["golden-casino.example", "www.westuniversity.de"])
    assert [verdict.model_label for verdict in verdicts] == ["gambling", "education"]


def test_an_answer_is_a_label_with_a_score(model_copy: Path, change_json) -> None:
    (verdict,) = cautious(model_copy, change_json, 0.0).classify(["casino-lake.com"])
    assert (verdict.status, verdict.reason) == ("ok", None)
    assert (verdict.label, verdict.score) == (verdict.model_label, verdict.model_score)
    assert 1 / 3 <= verdict.score <= 1


def test_below_the_threshold_unmist_abstains(model_copy: Path, change_json) -> None:
    model = cautious(model_copy, change_json, 1.0)
    (verdict,) = model.classify(["qqq.net"])
    assert (verdict.status, verdict.reason) == ("abstain", "below_threshold")
    assert (verdict.label, verdict.score) == (None, 0.0)
    probabilities = model.probabilities(["qqq.net"])[0]
    assert verdict.model_score == probabilities.max()
    assert verdict.model_label == model.labels(TASK)[probabilities.argmax()]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", b"", b"  "])
def test_nothing_to_ask_about_is_bad_input(tiny_model: Model, text: str | bytes) -> None:
    (verdict,) = tiny_model.classify([text])
    assert (verdict.status, verdict.reason) == ("bad_input", "empty")
    assert (verdict.label, verdict.score) == (None, 0.0)
    assert (verdict.model_label, verdict.model_score) == (None, None)


@pytest.mark.parametrize(
    "text", [".".join(["abc9"] * 60), "casino." * 20_000 + "com"], ids=["tokens", "bytes"]
)
def test_a_cut_text_says_so(model_copy: Path, change_json, text: str) -> None:
    model = cautious(model_copy, change_json, 0.0)
    verdicts = model.classify(["casino-lake.com", text, "news-lake.com"])
    assert [verdict.reason for verdict in verdicts] == [None, "truncated", None]
    assert verdicts[1].text == text


def test_both_ends_of_a_long_text_count(tiny_model: Model) -> None:
    middle = ".".join(["abc9"] * 2000)
    one, other, third = tiny_model.embed(
        [f"casino.{middle}.com", f"university.{middle}.com", f"casino.{middle}.org"]
    )
    assert np.abs(one - other).max() > 1e-4
    assert np.abs(one - third).max() > 1e-4


def test_bytes_are_as_good_as_text(tiny_model: Model) -> None:
    texts = ["casino-lake.com", "b\u00fccher.example"]
    as_bytes = [text.encode() for text in texts]
    assert tiny_model.classify(as_bytes) == tiny_model.classify(texts)
    np.testing.assert_array_equal(tiny_model.embed(as_bytes), tiny_model.embed(texts))


def test_bytes_that_are_not_utf8_are_shown_escaped(tiny_model: Model) -> None:
    (verdict,) = tiny_model.classify([b"casino\xff.com"])
    assert verdict.text == "casino\\xff.com"
    assert verdict.model_label is not None


def test_equal_texts_are_computed_once(tiny_model: Model, counted: list[int]) -> None:
    verdicts = tiny_model.classify(["a.com", "b.com", "A.com.", b"a.com", "www.b.com"])
    assert counted == [2]
    scores = [verdict.model_score for verdict in verdicts]
    assert scores == [scores[i] for i in (0, 1, 0, 0, 1)]
    vectors = tiny_model.embed(["a.com", "b.com", "a.com"])
    assert counted == [2, 2]
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


# Lone surrogates included: JSON may carry them.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=100)


@given(st.lists(st.one_of(st.binary(max_size=300), ANY_TEXT), max_size=8))
def test_any_bytes_are_answered(tiny_model: Model, texts: list[str | bytes]) -> None:
    verdicts = tiny_model.classify(texts)
    assert len(verdicts) == len(texts)
    for verdict in verdicts:
        assert 0 <= verdict.score <= 1
        assert (verdict.label is None) == (verdict.status != "ok")
        assert verdict.model_score is None or math.isfinite(verdict.model_score)
    vectors = tiny_model.embed(texts)
    assert vectors.shape == (len(texts), tiny_model.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_vectors_are_finite_float32_of_length_one(tiny_model: Model) -> None:
    vectors = tiny_model.embed(NAMES)
    assert vectors.shape == (len(NAMES), 64)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_field_kind_is_part_of_the_vector(tiny_model: Model) -> None:
    host, url = (tiny_model.embed(["casino-lake.com"], field) for field in ("hostname", "url"))
    assert np.abs(host - url).max() > 1e-4


def test_probabilities_sum_to_one(tiny_model: Model) -> None:
    probabilities = tiny_model.probabilities(NAMES)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(NAMES), 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_temperature_softens(model_copy: Path, change_json, tiny_model: Model) -> None:
    name = f"adapters/{TASK}/task.json"
    heat = tiny_model.card(TASK).temperature
    change_json(model_copy, name, temperature=heat * 2)
    odds = [np.log(m.probabilities(NAMES)) for m in (tiny_model, unmist.load(model_copy))]
    first, softened = (o - o[:, :1] for o in odds)
    np.testing.assert_allclose(softened * 2, first, atol=1e-4)


def test_nothing_in_nothing_out(tiny_model: Model) -> None:
    assert tiny_model.classify([]) == []
    assert tiny_model.embed([]).shape == (0, 64)
    assert tiny_model.probabilities([]).shape == (0, 3)
    assert tiny_model.ask_rows([], [TASK]) == []


@pytest.mark.parametrize("text", ["a.com", b"a.com"])
def test_one_string_is_refused(tiny_model: Model, text: str | bytes) -> None:
    for ask in (tiny_model.classify, tiny_model.embed, tiny_model.probabilities):
        with pytest.raises(UsageError, match="put it in a list"):
            ask(text)


def test_an_unknown_task_or_field_is_named(tiny_model: Model) -> None:
    for ask in (tiny_model.card, tiny_model.labels, tiny_model.field_of):
        with pytest.raises(UsageError, match=r"'astrology'.* host-category"):
            ask("astrology")
    with pytest.raises(UsageError, match="astrology"):
        tiny_model.classify(["a.com"], "astrology")
    with pytest.raises(UsageError, match=r"'stars'.*hostname"):
        tiny_model.embed(["a.com"], "stars")


def test_rows_of_a_log_keep_their_place_and_problem(tiny_model: Model) -> None:
    rows = [
        Row("casino-lake.com", "dns.log", 9),
        Row("a\0b.com", "dns.log", 10, "nul_byte"),
        Row("", "dns.log", 11, "missing_value"),
    ]
    verdicts = [verdict for (verdict,) in tiny_model.ask_rows(rows, [TASK])]
    assert [(v.source, v.line, v.text) for v in verdicts] == [
        (row.source, row.line, row.text) for row in rows
    ]
    assert verdicts[0].status in ("ok", "abstain")
    assert [(v.status, v.reason) for v in verdicts[1:]] == [
        ("bad_input", "nul_byte"),
        ("bad_input", "missing_value"),
    ]
    assert verdicts[1].model_label is not None
    assert verdicts[2].model_label is None


def test_probabilities_and_verdicts_come_from_one_pass(
    tiny_model: Model, counted: list[int]
) -> None:
    ranked = tiny_model.rank(NAMES)
    assert counted == [4]
    assert [verdict for verdict, _ in ranked] == tiny_model.classify(NAMES)
    for verdict, odds in ranked:
        assert (odds is None) == (verdict.model_label is None)
        assert odds is None or float(odds.max()) == verdict.model_score


def test_a_stream_reads_no_more_than_one_batch_ahead(tiny_model: Model) -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for name in NAMES * 3:
            read += 1
            yield name

    verdicts = tiny_model.stream(texts(), batch=4)
    assert read == 0
    for answered, verdict in enumerate(verdicts, start=1):
        assert verdict.text == (NAMES * 3)[answered - 1]
        assert read == min(-(-answered // 4) * 4, 18)
    assert read == 18


@given(st.lists(st.sampled_from([*NAMES, b"a\xff.com", b"casino-lake.com"])), st.integers(1, 9))
def test_a_stream_answers_as_classify_does(
    tiny_model: Model, texts: list[str | bytes], batch: int
) -> None:
    streamed = list(tiny_model.stream(iter(texts), batch=batch))
    assert streamed == tiny_model.classify(texts)


def test_a_stream_refuses_at_once(tiny_model: Model) -> None:
    with pytest.raises(UsageError, match="put it in a list"):
        tiny_model.stream("a.com")
    with pytest.raises(UsageError, match="astrology"):
        tiny_model.stream([], "astrology")
    with pytest.raises(UsageError, match="batch=0"):
        tiny_model.stream([], batch=0)


def test_info(tiny_model: Model, tiny_model_folder: Path) -> None:
    info = tiny_model.info()
    assert (info["name"], info["version"]) == ("unmist-tiny", "0.0.1")
    files = [path for path in tiny_model_folder.rglob("*") if path.is_file()]
    manifest = tiny_model_folder / "manifest.json"
    assert info["bytes"] == sum(f.stat().st_size for f in files) - manifest.stat().st_size
    assert info["hash"] == tiny_model.hash
    assert (info["dim"], info["layers"]) == (64, 2)
    assert info["vocabulary"] == tiny_model.tokenizer.size
    hidden, inner = 64, 96
    layer = 4 * hidden * hidden + 3 * hidden * inner + hidden
    expected = info["vocabulary"] * hidden + 2 * hidden + 2 * layer + hidden
    assert info["parameters"] == expected
    task = info["tasks"][TASK]
    assert task["labels"] == ["education", "gambling", "news"]
    rank, each = 4, (hidden + 3 * hidden) + 2 * hidden + (hidden + 2 * inner) + (inner + hidden)
    assert task["parameters"] == 2 * rank * each + 3 * hidden + 3


def test_no_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        unmist.load(tmp_path / "nowhere")


def test_other_adapters_beside_its_own(
    tiny_model: Model, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """They come and go, and change no bit of the others nor of the vectors."""
    texts = ["casino-lake.com", "school.edu", "bbc.co.uk"]
    beside = tmp_path / "second"
    shutil.copytree(layout.adapter_folder(tiny_model_folder, TASK), beside)
    rename(beside)
    model = unmist.load(tiny_model_folder, threads=1)
    before, vectors, first = model.hash, model.embed(texts), model.probabilities(texts, TASK)
    model.use_adapters([beside])
    assert model.tasks == (TASK, "second")
    assert model.hash == unmist.load(tiny_model_folder, adapters=[beside], threads=1).hash
    assert model.hash != before
    np.testing.assert_array_equal(model.probabilities(texts, TASK), first)
    np.testing.assert_array_equal(model.probabilities(texts, "second"), first)
    np.testing.assert_array_equal(model.embed(texts), vectors)
    broken = tmp_path / "broken"
    shutil.copytree(beside, broken)
    (broken / layout.HEAD).write_bytes(b"")
    with pytest.raises(ModelError):
        model.use_adapters([beside, broken])
    with pytest.raises(ModelError, match="a second adapter for the task 'second'"):
        model.use_adapters([beside, beside])
    assert model.tasks == (TASK, "second")
    assert model.classify(texts, "second")[0].task == "second"
    model.use_adapters([])
    assert (model.tasks, model.hash) == ((TASK,), before)
    with pytest.raises(UsageError, match="no task 'second'"):
        model.classify(texts, "second")
    np.testing.assert_array_equal(model.probabilities(texts, TASK), first)
