"""``unmist map``: what it refuses, and what it writes."""

import sys
import types

import numpy as np
import pytest

from unmist.verdict import Verdict


@pytest.fixture
def mapper(unmist, monkeypatch, fake):
    """``unmist`` whose model can also be asked about plain texts and has a tokenizer."""

    class Model(fake["FakeModel"]):
        tokenizer = types.SimpleNamespace(
            encode_batch=lambda texts: [[0] for _ in texts], piece=lambda _: b""
        )

        def embed(self, texts, field="hostname"):
            return np.array([[len(t), ord(t[0]), ord(t[1]), 1] for t in texts], np.float32)

        def classify(self, texts, task):
            said = {"task": task, "field": "hostname", "status": "ok", "reason": None}
            said |= {"label": "news", "score": 0.9, "model_label": "news", "model_score": 0.9}
            return [Verdict(text=text, **said) for text in texts]

    module = types.ModuleType("unmist.model")
    module.Model, module.load = Model, lambda *_, **__: Model()
    monkeypatch.setitem(sys.modules, "unmist.model", module)
    return unmist


@pytest.fixture
def rows():
    return "".join(f"{chr(97 + i % 26)}{chr(97 + i // 26)}{'x' * (i % 9)}.de\n" for i in range(60))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Nothing to write"),
        (["-o", "map.pdf"], ".html"),
        (["-o", "map.html", "--field", "haiku"], "hostname"),
    ],
)
def test_mistakes_are_2(mapper, rows, args, said):
    result = mapper("map", *args, stdin=rows)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_missing_extra_is_one_line(mapper, rows, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    result = mapper("map", "-o", tmp_path / "map.html", stdin=rows)
    assert result.exit_code == 2
    assert "pip install 'unmist[map]'" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_page_and_table(mapper, rows, tmp_path):
    pytest.importorskip("openTSNE")
    page, table = tmp_path / "map.html", tmp_path / "map.parquet"
    result = mapper("map", "-o", page, "--parquet", table, "--threads", 1, stdin=rows + "\n")
    assert result.exit_code == 1  # one empty row
    assert "trustworthiness" in result.stderr
    assert page.stat().st_size > 0
    again = mapper("map", "--place", table, "-o", page, "--threads", 1, stdin=rows + "qq.de\n")
    assert again.exit_code == 0
    assert "61, 1 of them placed" in again.stderr


def test_too_few_texts(mapper, tmp_path):
    pytest.importorskip("openTSNE")
    result = mapper("map", "-o", tmp_path / "map.html", stdin="aa.de\nbb.de\n")
    assert result.exit_code == 2
    assert "at least 10 distinct texts" in result.stderr


def test_a_file_that_is_no_map(mapper, rows, tmp_path):
    result = mapper("map", "-o", tmp_path / "m.html", "--diff", tmp_path / "x.parquet", stdin=rows)
    assert result.exit_code == 2
    assert "x.parquet" in result.stderr
