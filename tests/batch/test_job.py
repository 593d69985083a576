import json
import os
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmist.batch import Step, StoppedError
from unmist.errors import InputError, OutputError, UsageError
from unmist.io import ReadCounts, open_rows
from unmist.io.stream import ByteStream
from unmist.verdict import Verdict

Job = Callable[..., Any]
Held = Callable[[Path], dict[str, bytes]]


def texts(out: Path, column: str = "text") -> list[str]:
    return [
        text
        for path in sorted(out.glob("part-*"))
        for text in pq.read_table(path)[column].to_pylist()
    ]


def test_parts_and_dead_letters(tmp_path: Path, job: Job, mixed: list[Path]) -> None:
    out = tmp_path / "out"
    outcome = job(out, mixed, embed=True)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["finished"] is True
    assert [
        (entry["rows_in"], entry["rows_out"], entry["dead"], entry["filtered"], entry["parts"])
        for entry in summary["inputs"]
    ] == [(18, 9, 9, 0, 4), (20, 7, 0, 13, 2), (12, 11, 1, 0, 3)]
    assert outcome.written == outcome.summary.parts == 9
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [(line["part"], line["first"], line["last"], line["end"]) for line in lines[:6]] == [
        (1, 1, 5, False),
        (2, 6, 10, False),
        (3, 11, 15, False),
        (4, 16, 18, True),
        (5, 1, 15, False),
        (6, 16, 20, True),
    ]
    letter = json.loads((out / "dead-000009.jsonl").read_text())
    assert letter == {
        "file": str(mixed[2]),
        "line": 12,
        "offset": sum(len(f'{{"text":"j{i}.example","n":{i}}}\n') for i in range(11)),
        "reason": "malformed_json",
        "text": "{oops",
    }
    assert not (out / "dead-000005.jsonl").exists()
    first = pq.read_table(out / "part-000001.parquet")
    assert first["line"].to_pylist() == [1, 3, 5]
    assert first.schema.metadata[b"model_hash"] == b"ab" * 32
    assert len(first["vector"][0]) == 4
    assert pq.read_table(out / "part-000007.parquet")["n"].to_pylist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("to", ["parquet", "jsonl"])
def test_stopped_anywhere_it_goes_on_to_the_same_bytes(
    tmp_path: Path, job: Job, mixed: list[Path], held: Held, to: str
) -> None:
    job(tmp_path / "whole", mixed, to=to)
    expected = held(tmp_path / "whole")
    for asked in range(2, 17, 2):
        out = tmp_path / f"stopped-{asked}"
        questions = count()
        with pytest.raises(StoppedError):
            job(out, mixed, to=to, stopping=lambda c=questions, n=asked: next(c) >= n)
        assert not (out / "summary.json").exists()
        assert not list(out.glob(".*.tmp"))
        job(out, mixed, to=to)
        assert held(out) == expected


def test_a_finished_job_is_left_as_it_is(
    tmp_path: Path, job: Job, mixed: list[Path], held: Held
) -> None:
    out = tmp_path / "out"
    assert not job(out, mixed).finished_before
    before = held(out)
    again = job(out, mixed)
    assert again.finished_before
    assert again.written == 0
    assert held(out) == before


def test_rows_that_only_the_model_refuses(tmp_path: Path, job: Job, fake_model: Any) -> None:
    class Picky(type(fake_model)):  # type: ignore[misc]
        def _verdict(self, row: Any, task: str) -> Verdict:
            verdict = super()._verdict(row, task)
            if "odd" not in row.text:
                return verdict
            values = {name: getattr(verdict, name) for name in verdict.__struct_fields__}
            return Verdict(**values | {"status": "bad_input", "reason": "too_odd"})

    source = tmp_path / "a"
    source.write_text("one\n\nodd\x1b\ntwo\n")
    out = tmp_path / "out"
    job(out, [source], model=Picky())
    letters = [json.loads(line) for line in (out / "dead-000001.jsonl").read_text().splitlines()]
    assert [(letter["line"], letter["reason"], letter["text"]) for letter in letters] == [
        (2, "empty", ""),
        (3, "too_odd", "odd\\x1b"),
    ]
    assert texts(out) == ["one", "two"]


def test_an_unreadable_input_costs_only_itself(tmp_path: Path, job: Job, mixed: list[Path]) -> None:
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 and nothing else")
    said: list[str] = []
    out = tmp_path / "out"
    inputs = [mixed[0], tmp_path / "missing", bad, mixed[2]]
    outcome = job(out, inputs, report=said.append)
    assert [line.split(":")[0] for line in said] == [str(tmp_path / "missing"), str(bad)]
    assert outcome.summary.unreadable == 2
    assert outcome.summary.rows_in == 30
    assert outcome.summary.finished is False
    again = job(out, inputs)
    assert again.written == 0
    assert not again.finished_before


def test_an_input_that_changes_is_named_and_not_gone_on_with(
    tmp_path: Path, job: Job, mixed: list[Path]
) -> None:
    out = tmp_path / "out"
    said: list[str] = []

    def advance(step: Step) -> None:
        if step.part == 1:
            with open(mixed[0], "ab") as file:
                file.write(b"more.example\n")

    outcome = job(out, mixed, advance=advance, report=said.append)
    assert "changed while it was read" in said[0]
    assert [entry.parts for entry in outcome.summary.inputs] == [1, 2, 3]
    assert outcome.summary.unreadable == 1
    assert len(list(out.glob("part-*"))) == 6
    with pytest.raises(UsageError, match=r"a\.txt has changed"):
        job(out, mixed)


class FailingCall:
    """A function of ``os`` that fails at its n-th call, reading aside."""

    def __init__(self, name: str, at: int) -> None:
        self._real = getattr(os, name)
        self._opens = name == "open"
        self._left = at

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not self._opens or args[1] & (os.O_WRONLY | os.O_RDWR):
            self._left -= 1
            if self._left == -1:
                raise OSError(28, "No space left on device")
        return self._real(*args, **options)


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
def test_every_failing_write_is_one_error_and_the_job_goes_on(
    tmp_path: Path,
    job: Job,
    mixed: list[Path],
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    job(tmp_path / "whole", mixed)
    expected = held(tmp_path / "whole")
    for at in range(0, 15, 2):
        out = tmp_path / f"{at}"
        with monkeypatch.context() as patch:
            patch.setattr(os, name, FailingCall(name, at))
            with pytest.raises(OutputError, match="No space left"):
                job(out, mixed)
        assert not list(out.glob(".*.tmp"))
        job(out, mixed)
        assert held(out) == expected


def test_a_full_disk_while_parquet_is_written(
    tmp_path: Path, job: Job, mixed: list[Path], held: Held
) -> None:
    resource = pytest.importorskip("resource")
    big = tmp_path / "big.txt"
    big.write_bytes(b"".join(b"%064x.example\n" % (i * 7919**9) for i in range(3000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "out"
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
    try:
        with pytest.raises(OutputError, match="File too large"):
            job(out, [big], part_rows=2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in out.glob("*part*")] == []
    job(out, [big], part_rows=2000)
    job(tmp_path / "whole", [big], part_rows=2000)
    assert held(out) == held(tmp_path / "whole")


def test_a_torn_manifest_loses_its_part_only(
    tmp_path: Path, job: Job, mixed: list[Path], held: Held
) -> None:
    out = tmp_path / "out"
    job(out, mixed)
    expected = held(out)
    manifest = out / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    (out / "part-000009.parquet").write_bytes(b"orphan")
    outcome = job(out, mixed)
    assert outcome.written == 1
    assert held(out) == expected


def test_chunks_do_not_hold_a_part(tmp_path: Path, job: Job) -> None:
    """The model never sees more than a chunk, whatever the size of a part."""
    source = tmp_path / "a"
    source.write_text("x.example\n" * 10_000)
    seen: list[int] = []
    job(
        tmp_path / "out", [source], part_rows=1_000_000, advance=lambda step: seen.append(step.rows)
    )
    assert seen == [4096, 4096, 1808]
    assert pq.ParquetFile(tmp_path / "out/part-000001.parquet").metadata.num_row_groups == 1


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["a.example", "news.example", "", " ", "x\0y", "ü.example", "-", "(empty)"]
        ),
        st.text(st.characters(exclude_characters="\r\n\x85"), max_size=12),
    ),
    max_size=25,
)


def content(kind: str, lines: list[str], tail: bytes) -> bytes:
    """The texts in a format, and some bytes that may be of no format."""
    if kind == "lines":
        whole = "".join(f"{line}\n" for line in ["first.example", *lines])
    elif kind == "csv":
        whole = "text,n\n" + "".join(f'"{line}",{i}\n' for i, line in enumerate(lines))
    elif kind == "jsonl":
        rows = ({"text": line, "n": i} for i, line in enumerate(["x", *lines]))
        whole = "".join(json.dumps(row) + "\n" for row in rows)
    elif kind == "eve":
        rows = (
            {"event_type": ("dns", "flow")[i % 2], "timestamp": "", "dns": {"rrname": line}}
            for i, line in enumerate(["x", *lines])
        )
        whole = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        body = "".join(f"{i}\t{line}\n" for i, line in enumerate(lines))
        whole = f"#separator \\x09\n#path\tdns\n#fields\tts\tquery\n{body}"
    return whole.encode(errors="replace") + tail


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mix=st.lists(
        st.tuples(
            st.sampled_from(["lines", "csv", "jsonl", "eve", "zeek"]),
            LINES,
            st.binary(max_size=4),
        ),
        min_size=1,
        max_size=3,
    ),
    part_rows=st.integers(1, 9),
)
def test_rows_balance(
    tmp_path_factory: pytest.TempPathFactory, job: Job, mix: list[Any], part_rows: int
) -> None:
    """Every row that a plain reader hands out is in a part or a dead letter, once, in order."""
    folder = tmp_path_factory.mktemp("balance")
    for number, (kind, lines, tail) in enumerate(mix):
        source = folder / f"{number}"
        source.write_bytes(content(kind, lines, tail))
        counts = ReadCounts()
        options: dict[str, Any] = {"format": kind, "column": "text" if kind == "csv" else None}
        rows = list(open_rows(str(source), counts=counts, **options))
        out = folder / f"out-{number}"
        summary = job(out, [source], part_rows=part_rows, **options).summary
        assert (summary.rows_out, summary.dead, summary.filtered) == (
            counts.rows,
            counts.bad,
            counts.filtered,
        )
        assert summary.rows_in == counts.total
        assert texts(out) == [row.text for row in rows if row.problem is None]


def test_the_cache_is_empty_where_a_part_begins(
    tmp_path: Path, job: Job, mixed: list[Path], fake_model: Any
) -> None:
    """Or a part would tell what was asked before a restart."""
    calls: list[str] = []

    class Remembering(type(fake_model)):  # type: ignore[misc]
        def cache_clear(self) -> None:
            calls.append("clear")

        def ask_rows(self, rows: Any, tasks: Any) -> Any:
            calls.append("ask")
            return super().ask_rows(rows, tasks)

    outcome = job(tmp_path / "out", mixed, model=Remembering())
    assert calls == ["clear", "ask"] * outcome.summary.parts


def test_reading_that_fails_half_way_keeps_what_is_finished(
    tmp_path: Path, job: Job, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the disk: finished parts stay, other inputs are done, a later run goes on."""
    many = tmp_path / "a.txt"
    many.write_text("".join(f"host-{i}.example\n" for i in range(60_000)))
    inputs = [many, tmp_path / "b.txt"]
    inputs[1].write_text("b.example\n")
    job(tmp_path / "whole", inputs, part_rows=20_000)
    out = tmp_path / "out"
    real = ByteStream._raw_chunks

    def failing(self: Any) -> Any:
        yield from islice(real(self), 2)
        if self.source == str(many):
            raise InputError("reading failed (Input/output error)", self.source, self.lines_read)

    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(ByteStream, "_raw_chunks", failing)
        outcome = job(out, inputs, part_rows=20_000, report=said.append)
    assert [line.partition(":")[0] for line in said] == [str(many)]
    assert [entry.parts for entry in outcome.summary.inputs] == [1, 1]
    again = job(out, inputs, part_rows=20_000)
    assert (again.summary.rows_in, again.summary.finished) == (60_001, True)
    assert sorted(texts(out)) == sorted(texts(tmp_path / "whole"))


def test_share_left_falls_to_nothing(tmp_path: Path, job: Job, mixed: list[Path]) -> None:
    steps: list[Step] = []
    job(tmp_path / "out", mixed, advance=steps.append)
    left = [step.left for step in steps]
    assert left == sorted(left, reverse=True)
    assert left[-1] == pytest.approx(0)
    assert sum(step.gained for step in steps) == pytest.approx(1)
