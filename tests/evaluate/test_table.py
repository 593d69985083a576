"""Tasks side by side: wins and losses."""

import json
from pathlib import Path

import pytest

from unmist.evaluate import report_sections, table


def test_the_table(
    data_folder: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = [
        "--data", str(data_folder), "--model", str(tiny_model_folder), "-o", str(tmp_path / "out"),
        "--work", str(tmp_path / "work"), "--rows", "120", "--epochs", "1", "--threads", "1",
        "--tasks", "host-category", "--test-rows", "100", "--no-bf16",
        "--ours", f"other={tiny_model_folder}",
    ]  # fmt: skip
    table.main(how)
    whole = json.loads((tmp_path / "out/table.json").read_text())
    figures = whole["tasks"]["host-category"]
    assert figures["rows"]["test"] == 100
    assert (figures["field"], figures["labels"]) == ("hostname", 3)
    assert {"unmist shipped", "other shipped"} <= {one["name"] for one in figures["compared"]}
    for against in whole["against"].values():
        assert sum(map(len, against.values())) == 1
    page = (tmp_path / "out/table.md").read_text()
    assert "| `host-category` | hostname, 3 |" in page
    assert report_sections.section("table", whole) is not None
    monkeypatch.setattr(table, "run", None)
    table.main([*how, "--page-only"])
    assert (tmp_path / "out/table.md").read_text() == page
