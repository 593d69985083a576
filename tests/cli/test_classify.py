"""``unmist classify``: what goes to which stream, and what the exit code says."""

import json
import sys

import pytest


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_jsonl_answers_every_row_in_order(unmist, hosts):
    result = unmist("classify", "--jsonl", hosts)
    verdicts = lines(result.stdout)
    assert [v["text"] for v in verdicts][:2] == ["news.example", "tracker.example"]
    assert [v["status"] for v in verdicts] == ["ok", "ok", "bad_input", "abstain", "bad_input"]
    assert [v["line"] for v in verdicts] == [1, 2, 3, 4, 5]
    assert {v["source"] for v in verdicts} == {str(hosts)}
    assert list(verdicts[0])[:4] == ["text", "field", "task", "label"]
    assert result.exit_code == 1


def test_json_is_one_document_with_a_summary(unmist, hosts):
    document = json.loads(unmist("classify", "--json", hosts).stdout)
    summary = document["summary"]
    assert len(document["verdicts"]) == summary["rows"] == 5
    assert summary["rows"] == summary["answered"] + summary["abstained"] + summary["bad"]
    assert summary["labels"] == {"news": 1, "tracker": 1}
    assert summary["abstain_reasons"] == {"low_score": 1}
    assert summary["bad_reasons"] == {"empty": 1, "nul_byte": 1}


def test_json_of_an_empty_input_is_a_document(unmist, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.touch()
    result = unmist("classify", "--json", empty)
    assert json.loads(result.stdout)["verdicts"] == []
    assert result.exit_code == 0


def test_table_is_plain_and_the_summary_is_on_stderr(unmist, hosts):
    result = unmist("classify", hosts)
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["text", "label", "score", "reason"]
    assert rows[0].split() == ["news.example", "news", "0.91"]
    assert "abstain (tracker 0.43)" in rows[3]
    assert "bad input" in rows[2]
    assert f"empty ({hosts}:3)" in rows[2]
    assert "\x1b" not in result.stdout
    assert len({row.index("0.") for row in rows[:2]} | {header.index("score")}) == 1
    assert "rows       5" in result.stderr
    assert "news 1, tracker 1" in result.stderr


def test_table_does_not_cut_what_it_pipes_on(unmist):
    long = "x" * 200 + ".news.example"
    assert long in unmist("classify", stdin=long + "\n").stdout


def test_terminal_escapes_in_hostile_text_are_made_visible(unmist):
    result = unmist("classify", "--format", "lines", stdin="\x1b[2Jnews\u202e.example\x07\n")
    assert "\\x1b[2Jnews\\u202e.example\\x07" in result.stdout
    assert not {"\x1b", "\u202e", "\x07"} & set(result.stdout + result.stderr)


def test_all_fine_is_0_and_quiet_says_nothing(unmist):
    result = unmist("classify", "--quiet", "-", stdin="news.example\n")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_an_unreadable_input_costs_only_itself(unmist, hosts, tmp_path):
    missing = tmp_path / "missing.txt"
    result = unmist("classify", "--jsonl", "-q", missing, tmp_path, hosts)
    assert len(lines(result.stdout)) == 5
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert str(missing) in first
    assert str(tmp_path) in second


@pytest.mark.parametrize("flags", [(), ("--json",), ("--jsonl",)])
def test_nothing_readable_is_2_and_prints_nothing(unmist, tmp_path, flags):
    result = unmist("classify", *flags, tmp_path / "missing.txt")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--task", "astrology"], "host-category, url-category, url-threat"),
        (["--model", "/nonexistent"], "no model folder"),
        (["--json", "--jsonl"], "exclude"),
        (["--format", "morse"], "morse"),
        (["-o", "out.docx"], "out.docx"),
        (["--threads", "0"], "--threads"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_mistakes_are_2_and_explained(unmist, hosts, args, said):
    result = unmist("classify", *args, hosts)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_task_decides_the_field(unmist):
    result = unmist("classify", "--task", "url-category", "--jsonl", stdin="news.example\n")
    assert lines(result.stdout)[0]["field"] == "url"


def test_several_tasks_give_a_verdict_each(unmist):
    tasks = ["--task", "url-category", "--task", "url-threat"]
    result = unmist("classify", *tasks, "--json", stdin="news.example/a\n\nmaybe.example/\n")
    document = json.loads(result.stdout)
    assert [(v["task"], v["line"]) for v in document["verdicts"]] == [
        (task, line) for line in (1, 2, 3) for task in ("url-category", "url-threat")
    ]
    summary = document["summary"]
    assert summary["task"] == "url-category, url-threat"
    assert summary["labels"] == {"url-category news": 1, "url-threat news": 1}
    assert [summary[name] for name in ("rows", "answered", "abstained", "bad")] == [3, 1, 1, 1]
    table = unmist("classify", *tasks, stdin="news.example/a\n").stdout.splitlines()
    assert [line.split()[:3] for line in table] == [
        ["text", "task", "label"],
        ["news.example/a", "url-category", "news"],
        ["news.example/a", "url-threat", "news"],
    ]


def test_tasks_of_two_kinds_are_refused(unmist):
    result = unmist("classify", "--task", "host-category", "--task", "url-threat", stdin="a.com\n")
    assert result.exit_code == 2
    assert "reads hostname" in result.stderr
    assert "leave --task out" in result.stderr


def test_without_a_task_rows_are_routed(unmist, monkeypatch):
    model = sys.modules["unmist.model"]
    load = model.load

    def routing(*args, **options):
        opened = load(*args, **options)
        opened.routes = True
        return opened

    monkeypatch.setattr(model, "load", routing)
    result = unmist("classify", "--jsonl", stdin="news.example\n")
    assert [verdict["task"] for verdict in lines(result.stdout)] == list(model.load().tasks)
    assert unmist("classify", "--json", stdin="news.example\n").stdout.count('"task":null') == 1


def test_model_comes_from_the_environment(unmist, monkeypatch, hosts):
    monkeypatch.setenv("UNMIST_MODEL", "/nonexistent")
    result = unmist("classify", hosts)
    assert result.exit_code == 2
    assert result.stderr.startswith("unmist: error: /nonexistent")


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_output_file_holds_what_stdout_would(unmist, hosts, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    result = unmist("classify", "-o", out, hosts)
    assert result.stdout == ""
    text = out.read_text()
    verdicts = lines(text) if suffix == ".jsonl" else json.loads(text)["verdicts"]
    assert len(verdicts) == 5
    assert result.exit_code == 1


@pytest.mark.parametrize("text", ["news.example\nbroken.example\n", None])
def test_output_file_is_all_or_nothing(unmist, tmp_path, text):
    source = tmp_path / "in.txt"
    if text is not None:
        source.write_text(text)
    out = tmp_path / "out" / "verdicts.jsonl"
    out.parent.mkdir()
    out.write_text("what was there before")
    result = unmist("classify", "-o", out, source)
    assert result.exit_code == 2
    assert out.read_text() == "what was there before"
    assert list(out.parent.iterdir()) == [out]


def test_a_dash_as_output_is_standard_output(unmist, hosts):
    assert len(lines(unmist("classify", "--jsonl", "-o", "-", hosts).stdout)) == 5


def test_output_into_a_missing_folder_is_2(unmist, hosts, tmp_path):
    result = unmist("classify", "-o", tmp_path / "nowhere" / "out.jsonl", hosts)
    assert result.exit_code == 2
    assert result.stderr.startswith("unmist: error: ")


def test_rows_cross_chunk_borders_in_order(unmist):
    wanted = [f"news{i}.example" for i in range(9_000)]
    result = unmist("classify", "--jsonl", stdin="\n".join(wanted))
    assert [v["text"] for v in lines(result.stdout)] == wanted
    assert "9,000" in result.stderr


def test_csv_column_and_an_unknown_one(unmist, tmp_path):
    table = tmp_path / "hosts.csv"
    table.write_text("host,when\nnews.example,1\ntracker.example,2\n")
    good = unmist("classify", "--jsonl", "--column", "host", table)
    assert [v["label"] for v in lines(good.stdout)] == ["news", "tracker"]
    bad = unmist("classify", "--jsonl", "--column", "nope", table)
    assert bad.exit_code == 2
    assert "nope" in bad.stderr


def test_the_example_inputs_are_readable(unmist, pytestconfig):
    folder = pytestconfig.rootpath / "examples"
    counts = {}
    for name in ("dns.log", "eve.json", "hostnames.txt"):
        result = unmist("classify", "--json", folder / name)
        counts[name] = json.loads(result.stdout)["summary"]
        assert result.exit_code in (0, 1)
    assert counts["dns.log"]["rows"] >= 55
    assert counts["dns.log"]["filtered"] + counts["dns.log"]["bad"] >= 1
    assert counts["eve.json"]["filtered"] >= 3
    assert counts["hostnames.txt"]["rows"] == 30


@pytest.mark.parametrize("kind", ["table", "jsonl", "json"])
def test_output_format_is_the_same_choice_by_name(unmist, hosts, kind):
    flags = [] if kind == "table" else [f"--{kind}"]
    by_name, by_flag = (
        unmist("classify", *args, "-q", hosts) for args in (["--output-format", kind], flags)
    )
    if kind == "json":
        found = [json.loads(result.stdout)["verdicts"] for result in (by_name, by_flag)]
        assert found[0] == found[1]
    else:
        assert by_name.stdout == by_flag.stdout


def test_events_one_a_line(unmist, hosts, tmp_path):
    out = tmp_path / "findings.ocsf"
    assert unmist("classify", "--output-format", "ocsf", "-o", out, hosts).stdout == ""
    findings = lines(out.read_text())
    assert {finding["class_uid"] for finding in findings} == {2004}
    assert [finding["unmapped"]["line"] for finding in findings] == [1, 2, 3, 4, 5]
    events = lines(unmist("classify", "--output-format", "ecs", hosts).stdout)
    assert [event["event"]["kind"] for event in events].count("pipeline_error") == 2


def test_a_table_is_not_written_to_a_file(unmist, hosts, tmp_path):
    result = unmist("classify", "--output-format", "table", "-o", tmp_path / "t.jsonl", hosts)
    assert result.exit_code == 2
    assert list(tmp_path.glob("t.jsonl")) == []


@pytest.mark.parametrize("verb", ["classify", "embed"])
def test_all_filtered_is_a_warning(unmist, tmp_path, verb):
    eve = tmp_path / "eve.json"
    eve.write_text('{"timestamp": "t", "event_type": "dns", "dns": {"rrname": "a.org"}}\n')
    mistyped = unmist(verb, "--jsonl", "-q", "--column", "dns.rname", eve)
    assert mistyped.stdout == ""
    assert "none of 1 records holds such a text; check --column" in mistyped.stderr
    assert mistyped.exit_code == 0
    assert unmist(verb, "--jsonl", "-q", "--column", "dns.rrname", eve).stderr == ""
