"""``unmist embed``: vectors out, bad rows named and left out."""

import json

import numpy as np
import pytest


def test_stdout_gets_jsonl(unmist):
    result = unmist("embed", stdin="news.example\nx.example\n")
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["text"] == "news.example"
    assert first["model_hash"] == "ab" * 32
    assert first["vector"] == [12.0, 1.0, 2.0, 3.0]
    assert second["text"] == "x.example"
    assert result.exit_code == 0


def test_bad_rows_are_named_and_left_out(unmist, hosts, tmp_path):
    out = tmp_path / "out.npy"
    result = unmist("embed", "-o", out, hosts)
    assert np.load(out).shape == (3, 4)
    assert f"{hosts}:3: empty" in result.stderr
    assert f"{hosts}:5: nul_byte" in result.stderr
    assert result.exit_code == 1


def test_many_bad_rows_are_counted(unmist):
    result = unmist("embed", "--format", "lines", stdin="news.example\n" + " \n" * 50)
    assert sum("empty" in line for line in result.stderr.splitlines()) == 20
    assert "and 30 more" in result.stderr


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl", "out.npy"])
def test_output_files(unmist, tmp_path, name):
    out = tmp_path / name
    assert unmist("embed", "-o", out, stdin="news.example\n").exit_code == 0
    assert out.stat().st_size > 0


def test_nothing_readable_leaves_nothing(unmist, tmp_path):
    out = tmp_path / "out.npy"
    assert unmist("embed", "-o", out, tmp_path / "missing.txt").exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-o", "out.csv"], ".parquet"),
        (["--jsonl", "-o", "out.npy"], "--jsonl"),
        (["--field", "haiku"], "hostname"),
    ],
)
def test_mistakes_are_2(unmist, hosts, args, said):
    result = unmist("embed", *args, hosts)
    assert result.exit_code == 2
    assert said in result.stderr
