"""The rules that judge clusters, on names made for them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("publicsuffixlist", reason="needs unmist[train]")
pytest.importorskip("scipy", reason="needs unmist[map]")

from unmist.errors import InputError
from unmist.evaluate import findings
from unmist.evaluate.trades import national, small_business
from unmist.map import MapPoints, read_map, write_map
from unmist.map.points import Texts


@pytest.mark.parametrize(
    "host",
    [
        "www.millerplumbing.co.uk",
        "zahnarzt-schulze.de",
        "miller-law.com",
        "Hillcottages.com.au",
    ],
)
def test_small_business(host):
    assert small_business(host)


@pytest.mark.parametrize(
    "host",
    [
        "plumbing.com", "mail.millerplumbing.co.uk", "lawson.com", "millerplumbing.xyz",
        "plumbing2024.com", "casinohotels.com", "co.uk", "", ".", "millerplumbing",
    ],
)  # fmt: skip
def test_no_small_business(host):
    assert not small_business(host)


def test_national():
    assert national("www.hillside-farm.co.uk")
    assert not any(
        map(national, ("hillsidefarm.com", "hillsidefarm.io", "a.hillsidefarm.de", "x.de"))
    )


@given(st.text(max_size=40))
def test_any_text_is_judged(text):
    for rule in (small_business, national, findings.numbered):
        assert rule(text) in (True, False)


def test_digit_format():
    assert findings.digit_format("ip-10-2.7x1.example.ru") == "0-0-0-0"
    assert findings.digit_format("example.ru") == ""
    assert findings.numbered("a1.pl")
    assert not findings.numbered("a1.com")


@pytest.fixture
def old(tmp_path):
    ours = [f"pool-10-0-{i}-7.dyn.example.ru" for i in range(20)]
    firms = [f"miller{'abcdefghij'[i]}plumbing.co.uk" for i in range(10)]
    rest = [f"host{i}.example" for i in range(10)]
    texts = ours + firms + rest
    n = len(texts)
    points = MapPoints(
        texts=Texts(texts, ["t"] * n, list(range(n)), [1] * n, {"source": ["a"] * 20 + ["b"] * 20}),
        xy=np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32) / 9,
        clusters=np.array([0] * 20 + [1] * 10 + [-1] * 10, np.int32),
        names=["numbers", "firms"],
        neighbours=np.zeros((n, 2), np.int32),
        tasks={},
        placed=np.zeros(n, bool),
        about={"model_hash": "ab", "field": "hostname"},
    )
    write_map(tmp_path / "map.parquet", points)
    return tmp_path / "map.parquet"


def test_the_right_clusters_come_first(old):
    read = {findings.key("milleraplumbing.co.uk"): "yes", findings.key("host1.example"): "no"}
    result = findings.judge(read_map(old), read)
    first = result["numbers"][0]
    assert (first["name"], first["numbered"], first["in_format"], first["ru"]) == (
        "numbers", 1.0, 1.0, 20,
    )  # fmt: skip
    best = result["small_business"][0]
    assert (best["name"], best["trade"], best["read"]["yes"]) == ("firms", 1.0, 1)
    assert [row["list"] for row in result["lists"]] == ["a", "b"]
    assert result["rule"]["precision"] == 1.0


def test_command_writes_all(old, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="needs unmist[map]")
    names = ("findings.json", "findings.md", "figures", "sheet.tsv")
    out, table, figures, sheet = (str(tmp_path / name) for name in names)
    arguments = ["-o", out, "--markdown", table, "--figures", figures, "--sheet", sheet]
    monkeypatch.setattr("sys.argv", ["findings", str(old), *arguments])
    findings.main()
    assert json.loads(capsys.readouterr().out)["clusters"] == 2
    assert "| firms |" in (tmp_path / "findings.md").read_text()
    assert (tmp_path / "figures" / "numbers.png").read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "sheet.tsv").read_text().splitlines()) == 11


def test_what_was_read_must_be_an_answer(tmp_path):
    (tmp_path / "read.tsv").write_text("key\tsmall_business\nab\tperhaps\n")
    with pytest.raises(InputError, match="perhaps"):
        findings.read_by_eye(tmp_path / "read.tsv")
