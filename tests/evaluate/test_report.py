"""The report opens from disk, asks nobody, and takes foreign text for text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from unmist.errors import InputError
from unmist.evaluate import plots, report
from unmist.evaluate.report_tree import tree

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[31m\x00"
FIGURE = {"value": 0.5, "low": 0.4, "high": 0.6}
REPOSITORY = Path(__file__).parents[2]


class Seen(HTMLParser):
    """Elements and attributes of a page; complains of what is not closed."""

    VOID = frozenset({"meta"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile_chart() -> dict[str, object]:
    one = {
        "name": HOSTILE, "model": HOSTILE, "how": "probe", "parameters": 1000, "accuracy": FIGURE,
        "macro_f1": FIGURE, "seeds": 1, "cut": False, "every": False,
    }  # fmt: skip
    return {
        "task": HOSTILE, "smallest_winner": HOSTILE,
        "smallest_winner_on_equal_rows": None, "compared": [one], "rows": {"train": 10},
    }  # fmt: skip


def test_hostile_texts_stay_texts() -> None:
    results = {
        "chart": hostile_chart(),
        HOSTILE: {HOSTILE: [{HOSTILE: HOSTILE}, {HOSTILE: 1}], "x": HOSTILE},
        "robustness": {"note": HOSTILE, "tasks": []},
    }
    page = report.render(results)
    seen = Seen(page)
    assert not {"script", "img", "iframe", "link", "object"} & seen.elements
    assert not any(name.startswith("on") or name in ("src", "style") for name, _ in seen.attributes)
    assert all(value.startswith("#m-") for name, value in seen.attributes if name == "href")
    assert "&lt;script&gt;alert(1)" in page
    assert not set("\u202e\x1b\x00") & set(page)


def test_nothing_is_asked_of_anybody() -> None:
    page = report.render({"chart": hostile_chart(), "speed": {"machine": "m"}})
    assert re.findall(r"(?:https?:)?//[a-z]", page) == []
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 1  # a speed file that is built otherwise is shown as it is


def test_what_is_committed(tmp_path: Path) -> None:
    folder = REPOSITORY / "docs" / "benchmarks"
    out = tmp_path / "report.html"
    report.main(["--results", str(folder), "-o", str(out)])
    page = out.read_text()
    Seen(page)
    for path in folder.glob("*.json"):
        assert f">{path.name}<" in page
    assert "Specialists beside their floors" in page
    assert page.count("<svg") >= 3


def test_files_of_folders_below_have_their_own_section(tmp_path: Path) -> None:
    (tmp_path / "edge").mkdir()
    for folder in (tmp_path, tmp_path / "edge"):
        (folder / "specialists.json").write_text('{"tasks": {}}')
    found = report.read(tmp_path)
    assert list(found) == ["specialists", "edge/specialists"]
    page = report.render(found)
    assert 'id="m-specialists"' in page
    assert 'id="m-edge-specialists"' in page
    assert "(edge)</h2>" in page


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of measurements"):
        report.read(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        report.read(tmp_path)


def test_any_json_can_be_shown() -> None:
    deep: object = {"a": {"b": [[1, 2], {"c": None}]}, "d": [], "e": {"value": 1}, "f": FIGURE}
    said = tree(json.loads(json.dumps(deep)))
    assert "0.500 (0.400 to 0.600)" in said


def test_axes_end_at_round_numbers() -> None:
    assert plots.scale(0.41, 0.88) == (0.4, 0.9, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    low, high, marks = plots.scale(3, 3)
    assert low <= 3 < high
    assert marks[0] == low
