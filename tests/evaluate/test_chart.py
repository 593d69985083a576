"""From a data folder to chart.json, chart.md and the figure; a run that goes on."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from unmist.cli import main
from unmist.evaluate import chart, report_sections
from unmist.evaluate.compare import measure

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def command(data_folder: Path, tiny_model_folder: Path, tmp_path_factory) -> list[str]:
    out = tmp_path_factory.mktemp("chart")
    return [
        "--data", str(data_folder), "--model", str(tiny_model_folder), "-o", str(out / "bench"),
        "--work", str(out / "work"), "--figures", str(out / "figures"), "--rows", "120",
        "--epochs", "1", "--seeds", "2", "--threads", "1", "--no-bf16",
    ]  # fmt: skip


def test_the_chart(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    done = CliRunner().invoke(main, ["evaluate", "chart", *command])
    assert done.exit_code == 0, done.output
    bench = Path(command[5])
    whole = json.loads((bench / "chart.json").read_text())
    names = {one["name"]: one for one in whole["compared"]}
    assert {"unmist probe", "unmist LoRA", "unmist shipped", "n-grams, all rows linear"} <= {*names}
    assert names["unmist LoRA"]["seeds"] == 2
    assert names["unmist shipped"]["seeds"] == 1
    assert names["unmist LoRA"]["examples"] == 120
    sizes = [one["parameters"] for one in whole["compared"]]
    assert sizes == sorted(sizes)
    for one in names.values():
        assert 0 <= one["accuracy"]["low"] <= one["accuracy"]["value"] <= 1
    page = (bench / "chart.md").read_text()
    assert page == chart.page(whole)
    assert "n-grams, all rows" in page
    assert report_sections.section("chart", whole) is not None
    figures = Path(command[9])
    for name in ("light", "dark"):
        ElementTree.fromstring((figures / f"chart-{name}.svg").read_text())
        assert (figures / f"chart-{name}.png").read_bytes().startswith(b"\x89PNG")
    # Again: nothing is measured, and the file stays but for when and where.
    for name in ("training.fit", "light.Ngrams"):
        monkeypatch.setattr(f"unmist.evaluate.compare.{name}", None)
    chart.main(command)
    again = json.loads((bench / "chart.json").read_text())
    assert again["compared"] == whole["compared"]
    assert again["fits"] == whole["fits"]


def test_a_mistake_is_one_line(command: list[str]) -> None:
    done = CliRunner().invoke(main, ["evaluate", "chart", *command, "--peer", "minilm"])
    assert done.exit_code == 2
    assert "expected NAME=DIR" in done.stderr
    assert "Traceback" not in done.stderr
    assert CliRunner().invoke(main, ["evaluate", "chart", "--help"]).exit_code == 0


def _one(name: str, parameters: int, wins: tuple[str, ...]) -> dict[str, object]:
    less = {
        other: {"value": 0.1, "low": 0.01 if other in wins else -0.1, "high": 0.2}
        for other in "abc"
    }
    return {"name": name, "parameters": parameters, "accuracy_less": less}


def test_the_smallest_that_beats_every_larger_one() -> None:
    small, middle, large = _one("a", 1, ("b",)), _one("b", 2, ("c",)), _one("c", 3, ())
    assert measure.smallest_winner([large, small, middle]) == "b"
    assert measure.smallest_winner([_one("a", 1, ("b", "c")), middle, large]) == "a"
    assert measure.smallest_winner([large]) is None
