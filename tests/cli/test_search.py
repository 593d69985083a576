"""``unmist index``, ``search``, ``dedupe`` and ``export``: exit codes, and what they say."""

import json

import pytest


@pytest.fixture
def table(tmp_path):
    """Four good rows of three texts, and a bad one."""
    path = tmp_path / "rows.csv"
    path.write_text(
        "host,ts,team\nnews.example,2026-01-01,a\ntracker.example.org,2026-02-01,b\n"
        ",2026-02-01,b\nnews.example,2026-03-01,b\na.example,,c\n"
    )
    return path


@pytest.fixture
def index(unmist, tmp_path, table):
    out = tmp_path / "index"
    args = ("index", table, "--column", "host", "--task", "host-category", "-o", out)
    done = unmist(*args)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"unmist: {table}:4: empty",
        f"4 rows, 1 bad, 0 filtered; 3 texts in {out}",
    ]
    return out


def hits(done):
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nearest_rows_as_jsonl(unmist, index, table):
    first, second, third = hits(unmist("search", index, "news.example", "--jsonl"))
    assert list(first) == ["query", "distance", "rows", "row", "columns"]
    assert (first["query"], first["rows"], first["row"]) == ("news.example", 2, 0)
    columns = first["columns"]
    assert (columns["text"], columns["line"], columns["team"]) == ("news.example", 2, "a")
    assert (columns["source"], columns["host_category_label"]) == (str(table), "news")
    assert columns["time"] == "2026-01-01T00:00:00Z"
    assert first["distance"] <= second["distance"] <= third["distance"]


def test_every_row_of_a_text(unmist, index):
    found = hits(unmist("search", index, "news.example", "--jsonl", "-k", 1, "--rows"))
    assert [hit["row"] for hit in found] == [0, 2]


@pytest.mark.parametrize(
    ("args", "rows"),
    [
        (("--label", "news"), [0]),
        (("--label", "news", "--label", "tracker"), [0, 1, 3]),
        (("--since", "2026-02-01"), [1, 2]),
        (("--until", "2026-02-01"), [0]),
        (("--where", "team=b"), [1, 2]),
        (("--where", "team=b", "--label", "news"), [2]),
        (("--source", "*.csv"), [0, 1, 3]),
        (("--source", "other"), []),
    ],
)
def test_filters(unmist, index, args, rows):
    found = hits(unmist("search", index, "news.example", "--jsonl", *args))
    assert sorted(hit["row"] for hit in found) == rows


def test_queries_from_standard_input(unmist, index):
    done = unmist("search", index, "-", "--json", "-k", 1, stdin="news.example\na.example\n")
    assert done.exit_code == 0
    answers = json.loads(done.stdout)
    assert [answer["query"] for answer in answers] == ["news.example", "a.example"]
    assert answers[1]["hits"][0]["columns"]["text"] == "a.example"
    bad = unmist("search", index, "-", "--jsonl", stdin="news.example\n\n")
    assert bad.exit_code == 1
    assert "-:2: empty" in bad.stderr


def test_a_table_for_people_with_hostile_text_made_harmless(unmist, tmp_path):
    rows = tmp_path / "rows.txt"
    rows.write_text("\x1b[31mred.example\n")
    assert unmist("index", rows, "-o", tmp_path / "i", "-q").exit_code == 0
    done = unmist("search", tmp_path / "i", "\x1b[31mred.example")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    title, hit = done.stdout.splitlines()
    assert title == "\\x1b[31mred.example"
    assert hit.split() == ["0.0000", "\\x1b[31mred.example", f"{rows}:1"]


def test_hunting_for_the_like_of_examples(unmist, index, tmp_path):
    examples = tmp_path / "bad.txt"
    examples.write_text("NEWS.example\ntracker.example.net\n")
    found = hits(unmist("search", index, "--like", examples, "--jsonl"))
    assert {hit["columns"]["text"] for hit in found} == {"tracker.example.org", "a.example"}
    assert found[0]["example"] == "tracker.example.net"
    assert found[0]["score"] == pytest.approx((found[0]["best"] + found[0]["mean"]) / 2, abs=1e-5)
    table = unmist("search", index, "--like", examples)
    assert table.stdout.startswith(f"like {examples}\n")
    assert "~ tracker.example.net" in table.stdout


def test_what_cannot_run_is_2_and_one_line(unmist, index, tmp_path, table, fake, monkeypatch):
    for args, said in (
        (("search", tmp_path / "no", "x"), "no index here"),
        (("search", index), "Give a QUERY"),
        (("search", index, "x", "--like", table), "Give a QUERY"),
        (("search", index, " "), "empty QUERY"),
        (("search", index, "x", "--since", "soon"), "--since 'soon' is no time"),
        (("search", index, "x", "--where", "team"), "expected COLUMN=VALUE"),
        (("search", index, "x", "--where", "no=1"), "no column 'no'"),
        (("search", index, "--like", tmp_path / "no"), "no such file"),
        (("index", table, "--column", "host", "-o", index), "give --add"),
        (("index", table, "--column", "host", "-o", index, "--add"), "other labels"),
        (("index", tmp_path / "no", "-o", tmp_path / "new"), "no good row"),
        (("index", tmp_path, "-o", tmp_path / "new"), "a folder"),
        (("index", table, "--task", "no", "-o", tmp_path / "new"), "no task 'no'"),
        (("index", table, "--field", "no", "-o", tmp_path / "new"), "no field kind"),
        (("export", index, "--to", "postgres", "--name", "A B", "-o", tmp_path / "x"), "'A B'"),
        (("dedupe", tmp_path / "no"), "no such file"),
    ):
        done = unmist(*args)
        assert (done.exit_code, args) == (2, args)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr(fake["FakeModel"], "hash", "cd" * 32)
    done = unmist("search", index, "x")
    assert done.exit_code == 2
    assert "made with model abababababab, this one is cdcdcdcdcdcd" in done.stderr
    (vectors,) = index.glob("vectors*")
    vectors.write_bytes(vectors.read_bytes()[:-2])
    done = unmist("search", index, "x")
    assert done.exit_code == 2
    assert "damaged index" in done.stderr


def test_a_job_is_indexed_without_embedding_again(unmist, tmp_path, fake, monkeypatch):
    logs = tmp_path / "dns.txt"
    logs.write_text("news.example\ntracker.example.org\nb.example\nmaybe.example\n")
    job, out = tmp_path / "job", tmp_path / "index"
    run = ("run", logs, "--task", "host-category", "--embed", "--part-rows", 2, "-o", job)
    assert unmist(*run).exit_code == 0

    def refuse(*_):
        raise AssertionError("embedded again")

    embed = fake["FakeModel"].embed
    monkeypatch.setattr(fake["FakeModel"], "embed", refuse)
    done = unmist("index", job, "-o", out)
    assert done.exit_code == 0
    assert done.stderr == f"4 rows, 0 bad, 0 filtered; 4 texts in {out}\n"
    monkeypatch.setattr(fake["FakeModel"], "embed", embed)
    found = hits(unmist("search", out, "b.example", "--jsonl", "--label", "tracker"))
    assert [hit["columns"]["text"] for hit in found] == ["b.example", "tracker.example.org"]
    assert found[0]["columns"]["source"] == str(logs)
    assert found[0]["columns"]["line"] == 3  # what is abstained on has no label to be found by
    people = unmist("search", out, "b.example").stdout.splitlines()
    assert people[1].split() == ["0.0000", "b.example", "tracker", f"{logs}:3"]
    assert all("tracker" not in line for line in people if "maybe.example" in line)


def test_dedupe(unmist, tmp_path):
    path = tmp_path / "hosts.txt"
    path.write_text("b.example\nb.example\nc.example\na-very-long-name.example\n\n")
    done = unmist("dedupe", path, "--threshold", "0.999")
    assert done.exit_code == 1
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["3", "2", "b.example"],
        ["1", "1", "a-very-long-name.example"],
    ]
    assert done.stderr.endswith("4 rows, 1 bad, 0 filtered; 3 texts, 2 groups\n")
    groups = hits_of(unmist("dedupe", path, "--threshold", "0.999", "--groups", "--jsonl", "-q"))
    assert (groups[0]["rows"], groups[0]["texts"]) == (3, 2)
    assert [m["text"] for m in groups[0]["members"]] == ["b.example", "c.example"]
    assert "1.0000  c.example  x1" in unmist("dedupe", path, "--groups").stdout


def hits_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("to", ["postgres", "qdrant", "opensearch"])
def test_export(unmist, index, tmp_path, to):
    done = unmist("export", index, "--to", to, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert done.stderr == f"4 rows for {to} in {tmp_path / 'out'}\n"
    assert (tmp_path / "out").stat().st_size > 100
