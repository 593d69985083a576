"""Jobs on a model without a network, and what a job folder holds."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unmist.batch import Annotate, Outcome, Settings, run_job

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "cli" / "fake_unmist.py"))
LASTING = ("part-*", "dead-*", "manifest.jsonl", "job.json", "summary.json")


@pytest.fixture
def fake_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """``unmist.model.load`` gives the fake model."""
    monkeypatch.setitem(sys.modules, "unmist.model", FAKE["module"]())


@pytest.fixture
def fake_model() -> Any:
    return FAKE["FakeModel"]()


def held(folder: Path) -> dict[str, bytes]:
    """Every file of a job that lasts, by name."""
    return {path.name: path.read_bytes() for glob in LASTING for path in folder.glob(glob)}


@pytest.fixture(name="held")
def held_fixture() -> Callable[[Path], dict[str, bytes]]:
    return held


@pytest.fixture
def job(fake_model: Any) -> Callable[..., Outcome]:
    """Run a job: ``job(folder, [paths], part_rows=5, stopping=...)``."""

    def run(folder: Path, paths: list[Path], **options: Any) -> Outcome:
        names = Settings.__struct_fields__
        given = {name: options.pop(name) for name in names if name in options}
        settings = Settings(**{"tasks": ("host-category",), "part_rows": 5} | given)
        model = options.pop("model", fake_model)
        annotate = Annotate(settings.tasks, "text", embed=settings.embed, model=model)
        return run_job(folder, [str(path) for path in paths], settings, annotate, **options)

    return run


@pytest.fixture
def mixed(tmp_path: Path) -> list[Path]:
    """Inputs of several formats, with good, bad and filtered rows."""
    lines = tmp_path / "a.txt"
    lines.write_bytes(b"".join(b"n%d.news.example\n\n" % i for i in range(9)))
    zeek = tmp_path / "dns.log"
    records = "".join(f"{i}\t{'-' if i % 3 else f'z{i}.example'}\n" for i in range(20))
    zeek.write_text(f"#separator \\x09\n#path\tdns\n#fields\tts\tquery\n{records}")
    jsonl = tmp_path / "h.jsonl"
    jsonl.write_text("".join(f'{{"text":"j{i}.example","n":{i}}}\n' for i in range(11)) + "{oops\n")
    return [lines, zeek, jsonl]
