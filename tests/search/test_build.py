"""An index is whole or not there, and what is damaged or mixed is refused."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmist.errors import InputError, OutputError, UsageError
from unmist.search import Builder, Index, MixedModelsError, Reading
from unmist.search import manifest as listing


def test_what_lies_in_the_folder(index) -> None:
    manifest = index.manifest
    assert (manifest.rows, manifest.vectors, manifest.dim) == (5, 4, 64)
    assert (manifest.field, manifest.tasks) == ("hostname", ("host-kind",))
    names = {path.name for path in index.folder.iterdir()}
    assert names == {
        "manifest.json",
        "keys-0001.bin",
        "rows-0001-000001.parquet",
        "vectors-0001.f16",
    }
    assert len(list(index.folder.parent.glob(".*"))) == 0


def test_bad_rows_are_handed_on(tmp_path, toy, rows_csv, make) -> None:
    (bad,) = make(tmp_path / "i", toy, rows_csv, column="host")
    assert (bad.line, bad.problem) == (6, "empty")


def test_the_same_rows_give_the_same_bytes(tmp_path, toy, rows_csv, make) -> None:
    for name in "ab":
        make(tmp_path / name, toy, rows_csv, column="host")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_adding_embeds_only_what_is_new(tmp_path, toy, rows_csv, make) -> None:
    make(tmp_path / "i", toy, rows_csv, column="host")
    toy.asked = 0
    more = tmp_path / "more.txt"
    more.write_text("shop.example.com\nnew.example.org\nnew.example.org.\n")
    make(tmp_path / "i", toy, more, add=True)
    assert toy.asked == 1
    index = Index(tmp_path / "i")
    assert (index.manifest.rows, index.manifest.vectors) == (8, 5)
    (query,) = toy.embed(["shop.example.com"])
    assert index.nearest(query, 1)[0].rows.tolist() == [0, 1, 5]
    assert index.records([5])[0]["source"] == str(more)
    assert index.records([5, 0])[1]["rank"] == "1"  # rows of another schema, other file
    assert "rank" not in index.records([5])[0]


def test_many_schemas_and_many_groups(tmp_path, toy, make) -> None:
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.csv")
        lines = [f"n{i}.example,{i}" for i in range(5000)]
        paths[-1].write_text(f"host,c{number}\n" + "\n".join(lines) + "\n")
    make(tmp_path / "i", toy, *paths, column="host")
    index = Index(tmp_path / "i")
    assert (index.manifest.rows, index.manifest.vectors) == (15_000, 5000)
    for row in (0, 4095, 4096, 4999, 5000, 9999, 14_999):
        (record,) = index.records([row])
        assert record[f"c{row // 5000}"] == str(row % 5000)
        assert record["line"] == row % 5000 + 2


def test_names_of_the_input_give_way(tmp_path, toy, make) -> None:
    path = tmp_path / "x.csv"
    path.write_text("text,line,vector,time_,time,source\na.example,7,v,t,2026-01-01,s\n")
    make(tmp_path / "i", toy, path, column="text")
    (record,) = Index(tmp_path / "i").records([0])
    assert (record["text"], record["line"], record["source"]) == ("a.example", 2, str(path))
    assert {k: record[k] for k in ("line_", "vector_", "source_")} == {
        "line_": "7",
        "vector_": "v",
        "source_": "s",
    }
    assert {record["time_"], record["time__"]} == {"t", "2026-01-01"}


def test_what_is_there_is_not_overwritten(tmp_path, toy, rows_csv, make) -> None:
    make(tmp_path / "i", toy, rows_csv, column="host")
    before = {path: path.read_bytes() for path in (tmp_path / "i").iterdir()}
    with pytest.raises(UsageError, match="give --add"):
        make(tmp_path / "i", toy, rows_csv, column="host")
    with pytest.raises(UsageError, match="exists"):
        make(rows_csv, toy, rows_csv, column="host")
    with pytest.raises(InputError, match="no index here"):
        make(tmp_path / "none", toy, rows_csv, column="host", add=True)
    with pytest.raises(UsageError, match="other labels"):
        make(tmp_path / "i", toy, rows_csv, column="host", add=True, tasks=("host-kind",))
    assert {path: path.read_bytes() for path in (tmp_path / "i").iterdir() if path in before} == (
        before
    )


def test_models_do_not_mix(tmp_path, toy, rows_csv, make) -> None:
    make(tmp_path / "i", toy, rows_csv, column="host")
    toy.hash = "cd" * 32
    with pytest.raises(MixedModelsError, match="of model cdcdcdcdcdcd among those of model abab"):
        make(tmp_path / "i", toy, rows_csv, column="host", add=True)
    assert Index(tmp_path / "i").manifest.rows == 5
    assert {p.name for p in (tmp_path / "i").iterdir()} - {"lock"} == {
        "manifest.json",
        "keys-0001.bin",
        "rows-0001-000001.parquet",
        "vectors-0001.f16",
    }


def part(path: Path, vectors: np.ndarray, model_hash: str, **columns: list) -> Path:
    flat = pa.array(vectors.reshape(-1))
    table = pa.table(
        {**columns, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])}
    )
    pq.write_table(table.replace_schema_metadata({"model_hash": model_hash}), path)
    return path


def test_parts_with_vectors_are_not_embedded_again(tmp_path, toy, make) -> None:
    texts = ["a.example.com", "b.example.com", "bad.example.com"]
    vectors = toy.embed(texts).astype(np.float16)
    vectors[2] = np.nan
    places = {"source": ["dns.log"] * 3, "line": [7, 8, 9]}
    path = part(tmp_path / "p.parquet", vectors, toy.hash, text=texts, **places)
    toy.asked = 0
    (bad,) = make(tmp_path / "i", toy, path)
    assert (toy.asked, bad.problem) == (0, "no_vector")
    index = Index(tmp_path / "i")
    assert index.manifest.model_hash == toy.hash
    (record,) = index.records([1])
    assert (record["source"], record["line"]) == ("dns.log", 8)
    (hit,) = index.nearest(toy.embed(["b.example.com"])[0], 1)
    assert hit.rows.tolist() == [1]
    other = part(tmp_path / "q.parquet", vectors[:2], "ef" * 32, text=["x.example", "y.example"])
    with pytest.raises(MixedModelsError):
        make(tmp_path / "j", toy, path, other)
    assert not (tmp_path / "j").exists()


@pytest.mark.parametrize("kind", ["vectors", "keys", "rows", "manifest"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damage_is_refused_in_a_line(index, kind, damage) -> None:
    (path,) = index.folder.glob(f"{kind}*")
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:-3])
    else:
        path.unlink()
    with pytest.raises(InputError) as caught:
        Index(index.folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message or (kind == "manifest" and damage == "gone")


def test_a_manifest_cannot_name_files_elsewhere(index) -> None:
    path = index.folder / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["../x"] = {"bytes": 1, "sha256": "0"}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="elsewhere"):
        Index(index.folder)


def test_a_failure_leaves_nothing(tmp_path, toy, rows_csv) -> None:
    reading = Reading(lambda: toy, field="hostname", column="host")

    def fail(folder: Path, *, add: bool) -> None:
        with Builder(folder, lambda: toy, field="hostname", add=add) as builder:
            for rows in reading.read(str(rows_csv)):
                builder.add(rows, "x")
            raise KeyError("on the way")

    with pytest.raises(KeyError):
        fail(tmp_path / "i", add=False)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]
    with (
        pytest.raises(InputError, match="no row"),
        Builder(tmp_path / "i", lambda: toy, field="hostname"),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]


ADD = """
import os, runpy, signal, sys
from pathlib import Path
conftest = runpy.run_path(sys.argv[1])
from unmist.search import build
def killed(*args):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[4] == "before":
    build.listing.write = killed
else:
    write = build.listing.write
    build.listing.write = lambda *args: (write(*args), killed())
conftest["make"](Path(sys.argv[2]), conftest["ToyModel"](), Path(sys.argv[3]), add=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("moment", "rows"), [("before", 5), ("after", 7)])
def test_a_kill_leaves_the_index_before_or_after(
    tmp_path, toy, rows_csv, make, moment, rows
) -> None:
    make(tmp_path / "i", toy, rows_csv, column="host")
    more = tmp_path / "more.txt"
    more.write_text("x.example\ny.example\n")
    conftest = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-c", ADD, conftest, tmp_path / "i", more, moment]
    assert subprocess.run(list(map(str, command))).returncode == -signal.SIGKILL
    assert Index(tmp_path / "i").manifest.rows == rows
    make(tmp_path / "i", toy, more, add=True)
    grown = Index(tmp_path / "i")
    assert grown.manifest.rows == rows + 2
    present = {p.name for p in (tmp_path / "i").iterdir()}
    assert present == {*grown.manifest.files, "manifest.json", "lock"}


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_two_writers_refuse_each_other(index, toy, rows_csv, make) -> None:
    with listing.locked(index.folder), pytest.raises(OutputError, match="another process"):
        make(index.folder, toy, rows_csv, column="host", add=True, tasks=("host-kind",))
    make(index.folder, toy, rows_csv, column="host", add=True, tasks=("host-kind",))
    assert Index(index.folder).manifest.rows == 10
