"""Exports: loaded by a real PostgreSQL, and held against what Qdrant and OpenSearch document."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from unmist.errors import UsageError
from unmist.search import Index
from unmist.search.exports import write_export

HOSTILE = ["tab\there", "back\\slash", "\\.", "quote'\"", "naïve", "line\u2028", "x\\N", "{}[],"]


@pytest.fixture
def hostile(tmp_path: Path, toy, make) -> Index:
    """Rows that an escape has to be right for."""
    path = tmp_path / "x.jsonl"
    rows = [{"text": t, "n": i, "own\t": {"deep": [t, None, "\0"]}} for i, t in enumerate(HOSTILE)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    make(tmp_path / "hostile", toy, path)
    return Index(tmp_path / "hostile")


def test_qdrant_takes_bodies_of_points(index, tmp_path) -> None:
    """PUT /collections/{name}/points: id is an unsigned integer, payload an object."""
    assert write_export(tmp_path / "q.jsonl", index, "qdrant", "unmist") == 5
    (body,) = map(json.loads, (tmp_path / "q.jsonl").read_text().splitlines())
    assert list(body) == ["points"]
    assert [point["id"] for point in body["points"]] == [0, 1, 2, 3, 4]
    point = body["points"][3]
    assert set(point) == {"id", "vector", "payload"}
    assert len(point["vector"]) == 64
    payload = point["payload"]
    assert payload["model_hash"] == index.manifest.model_hash
    assert (payload["text"], payload["line"]) == ("shop.example.net", 5)
    assert payload["labels"] == {"host_kind_label": "shop", "host_kind_score": 0.75}
    assert payload["columns"]["rank"] == "4"
    assert payload["time"] == "2026-01-04T00:00:00Z"


def test_qdrant_loads_it(index, toy, tmp_path) -> None:
    client_module = pytest.importorskip("qdrant_client", reason="needs qdrant-client")
    models = client_module.models
    write_export(tmp_path / "q.jsonl", index, "qdrant", "unmist")
    client = client_module.QdrantClient(":memory:")
    client.create_collection("u", models.VectorParams(size=64, distance=models.Distance.COSINE))
    for line in (tmp_path / "q.jsonl").read_text().splitlines():
        points = models.PointsList.model_validate_json(line).points
        client.upsert("u", points)
    (query,) = toy.embed(["login.bank.test"])
    (found,) = client.query_points("u", query.tolist(), limit=1).points
    assert found.payload["text"] == "login.bank.test"


def test_opensearch_takes_pairs_of_lines(index, tmp_path) -> None:
    """POST /_bulk: an action, then the document, each on a line, with a newline at the end."""
    write_export(tmp_path / "o.ndjson", index, "opensearch", "hosts")
    data = (tmp_path / "o.ndjson").read_text()
    assert data.endswith("}\n")
    lines = [json.loads(line) for line in data.splitlines()]
    assert lines[0::2] == [{"index": {"_index": "hosts", "_id": str(i)}} for i in range(5)]
    documents = lines[1::2]
    keys = ["text", "source", "line", "time", "labels", "columns", "model_hash", "vector"]
    assert all(list(d) == keys and len(d["vector"]) == 64 for d in documents)
    assert abs(np.linalg.norm(documents[0]["vector"]) - 1) < 1e-3


def test_hostile_text_stays_in_its_line(hostile, tmp_path) -> None:
    for to in ("qdrant", "opensearch", "postgres"):
        write_export(tmp_path / to, hostile, to, "unmist")
    assert len((tmp_path / "qdrant").read_bytes().splitlines()) == 1
    assert len((tmp_path / "opensearch").read_bytes().split(b"\n")) == 2 * len(HOSTILE) + 1
    assert b"\0" not in (tmp_path / "postgres").read_bytes()


@pytest.mark.parametrize("name", ["Up", "a;b", "", "a b", "x" * 64, 'a"', "1a"])
def test_a_name_that_needs_quotes_is_refused(index, tmp_path, name) -> None:
    with pytest.raises(UsageError, match="no table's name"):
        write_export(tmp_path / "x", index, "postgres", name)
    assert not (tmp_path / "x").exists()


def binaries() -> Path | None:
    """Where PostgreSQL's programs are, if pgvector is installed beside it."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        share = Path("/usr/share/postgresql") / folder.parent.name / "extension"
        if (folder / "initdb").exists() and (share / "vector.control").exists():
            return folder
    return None


Psql = Callable[..., str]


@pytest.fixture
def psql() -> Iterator[Psql]:
    """Run psql on a server of its own, which listens on a socket in a folder only."""
    programs = binaries()
    if programs is None:
        pytest.skip("needs PostgreSQL and pgvector of Debian")
    home = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    user = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to run as
        shutil.chown(home, "postgres")
        user = ["runuser", "-u", "postgres", "--"]

    def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
        words = [*user, *map(str, command)]
        return subprocess.run(words, check=True, capture_output=True, text=True, cwd=home)

    data = home / "data"
    run(programs / "initdb", "-D", data, "-U", "unmist", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    run(programs / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
    try:
        base = [programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        base += ["-h", home, "-U", "unmist", "-d", "postgres"]
        yield lambda *args: run(*base, *args).stdout
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def test_postgres_loads_it(index, hostile, toy, tmp_path, psql, monkeypatch) -> None:
    folder = Path(tempfile.mkdtemp(prefix="sql", dir="/tmp"))
    folder.chmod(0o755)
    try:
        write_export(folder / "a.sql", index, "postgres", "hosts")
        write_export(folder / "b.sql", hostile, "postgres", "hostile")
        psql("-f", folder / "a.sql")
        psql("-f", folder / "b.sql")
    finally:
        shutil.rmtree(folder)
    (query,) = toy.embed(["shop.example.com"])
    vector = "[" + ",".join(map(str, query.tolist())) + "]"
    found = psql("-c", f"SELECT text FROM hosts ORDER BY vector <=> '{vector}', id LIMIT 3")
    assert found.split() == ["shop.example.com", "www.shop.example.com", "shop.example.net"]
    near = index.nearest(query, 4)
    distances = psql("-c", f"SELECT id, vector <=> '{vector}' FROM hosts ORDER BY id")
    of_row = dict(line.split("|") for line in distances.splitlines())
    for hit in near:
        for row in hit.rows:
            assert float(of_row[str(row)]) == pytest.approx(hit.distance, abs=2e-3)
    row = psql("-c", "SELECT line, time, labels->>'host_kind_label', columns->>'rank' "
               "FROM hosts WHERE id = 3 AND time > '2026-01-03'")  # fmt: skip
    assert row.strip().split("|")[0::2] == ["5", "shop"]
    assert (
        psql("-c", "SELECT obj_description('hosts'::regclass)")
        .strip()
        .endswith(f"{index.manifest.model_hash}, field hostname")
    )
    back = psql("-c", "SELECT json_agg(text ORDER BY id) FROM hostile")
    assert json.loads(back) == HOSTILE
    deep = psql("-c", "SELECT columns FROM hostile WHERE id = 1")
    assert json.loads(json.loads(deep)["own\t"]) == {"deep": ["back\\slash", None, "\0"]}
