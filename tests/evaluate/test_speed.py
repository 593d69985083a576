"""Contenders answer the same rows in processes of their own, and the page shows what they said."""

import sys
from pathlib import Path
from typing import Any

import pytest

from unmist.errors import UsageError
from unmist.evaluate import speed
from unmist.evaluate.speed import Contender, Workload
from unmist.evaluate.speed_page import page, share_of_limit

LOAD = Workload("hostname", "host-category", 40)


@pytest.fixture(scope="module")
def entries(tiny_model_folder: Path, data_folder: Path) -> list[dict[str, Any]]:
    ours = [
        Contender(f"unmist tiny {kind}", kind, sys.executable, tiny_model_folder)
        for kind in ("vectors", "verdicts")
    ]
    contenders = [*ours, Contender("n-grams", "ngrams", sys.executable)]
    return speed.compare(data_folder, [LOAD], contenders, [1], 1, 0.01)


def test_everybody_answers(entries: list[dict[str, Any]]) -> None:
    assert [one["contender"] for one in entries] == [
        speed.MATRIX,
        "unmist tiny vectors",
        "unmist tiny verdicts",
        "n-grams",
    ]
    limit, *others = entries
    assert limit["f32"] > 1e8
    for one in others:
        assert one["rows_per_second"] > 0
        assert set(one["batches"]) == {"1", "32", "256"}
        assert all(of["p50_ms"] <= of["p99_ms"] for of in one["batches"].values())
        assert one["start_seconds"] > 0


def test_the_page_has_a_line_for_each(entries: list[dict[str, Any]], tmp_path: Path) -> None:
    for one in entries:
        one["disk_mb"] = 1.5
    entries[1]["flops_per_row"] = 1e6
    whole = {
        "command": "x", "date": "2026-01-01", "machine": "m", "rounds": 1,
        "rows": {"hostname": 40}, "entries": entries,
    }  # fmt: skip
    written = page(whole)
    for name in ("unmist tiny vectors", "unmist tiny verdicts", "n-grams"):
        assert f"\n| {name} |" in written
    assert "Matrix products: f32" in written
    share = share_of_limit(entries[1], entries[0])
    assert share is not None
    assert f"| {share:.0%} |" in written


def test_the_arithmetic_of_a_row(tiny_model_folder: Path) -> None:
    """Two layers of 64, an inner width of 96: counted by hand."""
    weights = 4 * 64 * 64 + 3 * 64 * 96
    assert speed.flops(tiny_model_folder, 10, 100) == 2 * (2 * weights * 10 + 4 * 64 * 100)


def test_the_median_of_rounds() -> None:
    rounds = [{"a": 3, "b": {"c": 1.0}, "e": "x"}, {"a": 1, "b": {"c": 9.0}, "e": "x"}]
    rounds.append({"a": 2, "b": {"c": 2.0}, "e": "x"})
    assert speed.middle(rounds) == {"a": 2, "b": {"c": 2.0}, "e": "x"}


def test_a_contender_that_fails_is_named(tmp_path: Path) -> None:
    order = {"kind": "vectors", "folder": str(tmp_path), "threads": 1, "texts": str(tmp_path / "x")}
    with pytest.raises(UsageError, match=f"vectors {tmp_path}: failed"):
        speed.ask(sys.executable, order)


@pytest.mark.parametrize("peer", ["minilm", "minilm=/nowhere"])
def test_a_peer_is_a_folder(peer: str, tmp_path: Path) -> None:
    args = ["--data", str(tmp_path), "--peer", peer, "-o", str(tmp_path)]
    with pytest.raises(UsageError, match="NAME=DIR"):
        speed.main(args)
