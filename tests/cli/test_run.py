"""``unmist run``: exit codes, what it says, and being asked to stop."""

import json
import signal
import subprocess
import sys
import time

import pytest

PIPE = subprocess.PIPE


def job(*args, out):
    return ("run", "--task", "host-category", "-o", out, *args)


def test_good_rows_are_0_bad_ones_1_and_a_finished_job_0(unmist, tmp_path, hosts):
    out = tmp_path / "out"
    done = unmist(*job(hosts, out=out))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "rows in    5  = rows out + dead + filtered",
        "rows out   3  in parts: 1, new: 1",
        "dead       2  bad rows, in dead-*.jsonl",
        "filtered   0",
    ]
    again = unmist(*job(hosts, out=out))
    assert again.exit_code == 0
    assert "finished already" in again.stderr
    good = tmp_path / "good.txt"
    good.write_text("a.example\n")
    quiet = unmist(*job("-q", "--to", "jsonl", good, out=tmp_path / "other"))
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    row = json.loads((tmp_path / "other" / "part-000001.jsonl").read_text())
    assert (row["text"], row["host_category_label"]) == ("a.example", "tracker")


def test_two_tasks_vectors_and_a_folder(unmist, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "b.txt").write_text("b.example\n")
    (logs / "a.txt").write_text("a.example\n")
    out = logs / "out"
    tasks = ("--task", "url-category", "--task", "url-threat")
    args = ("run", *tasks, "-o", out, "--embed", logs)
    assert unmist(*args).exit_code == 0
    table = pq.read_table(out / "part-000001.parquet")
    assert table["text"].to_pylist() == ["a.example"]
    assert {"url_threat_score", "url_category_score", "vector"} <= set(table.column_names)
    assert unmist(*args).exit_code == 0  # the parts in the output folder are no inputs


def test_what_cannot_run_is_2_and_one_line(unmist, tmp_path, hosts):
    out = tmp_path / "out"
    assert unmist(*job(hosts, out=out)).exit_code == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    for args, said in (
        (job(hosts, "--part-rows", 3, out=out), "part_rows 65536, now 3"),
        (job(hosts, out=tmp_path / "full"), "holds other files"),
        (job(hosts, out=hosts), "cannot be written"),
        (job("-", out=out), "write standard input to a file first"),
        (job(tmp_path / "no", out=tmp_path / "none"), "No such file"),
        (job(hosts, "--task", "no", out=tmp_path / "new"), "no task 'no'"),
        (job(hosts, "--task", "url-threat", out=tmp_path / "new"), "ask about one kind"),
    ):
        done = unmist(*args)
        assert done.exit_code == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert unmist("run", "--task", "host-category", "-o", out).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_an_unreadable_input_among_others_is_1(unmist, tmp_path):
    good = tmp_path / "good.txt"
    good.write_text("a.example\n")
    done = unmist(*job(tmp_path / "no", good, out=tmp_path / "out"))
    assert done.exit_code == 1
    assert "unreadable 1" in done.stderr


def test_progress_as_json(unmist, tmp_path, hosts):
    done = unmist(*job(hosts, "-q", "--progress", "json", out=tmp_path / "out"))
    (line,) = done.stderr.splitlines()
    said = json.loads(line)
    assert list(said) == [
        "rows",
        "bad",
        "seconds",
        "rows_per_second",
        "part",
        "share_left",
        "seconds_left",
    ]
    assert (said["rows"], said["bad"], said["part"]) == (5, 2, 1)
    assert (said["share_left"], said["seconds_left"]) == (0, 0)


def wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals and locks of POSIX")
def test_sigterm_is_143_a_second_run_is_refused_meanwhile_and_the_next_one_goes_on(
    start, unmist, tmp_path
):
    many = tmp_path / "many.txt"
    many.write_text("news.example\n" * 400_000)
    out = tmp_path / "out"
    args = job(many, "--part-rows", 20_000, out=out)
    process = start(*args, stderr=PIPE)
    wait_for(out / "part-000002.parquet")
    refused = unmist(*args)
    assert refused.exit_code == 2
    assert f"process {process.pid}" in refused.stderr
    process.send_signal(signal.SIGTERM)
    said = process.stderr.read()
    assert process.wait(30) == 143
    assert b"run the same command again" in said
    assert not list(out.glob(".*"))
    finished = (out / "manifest.jsonl").read_bytes()
    done = unmist(*args)
    assert done.exit_code == 0
    assert "rows out   400,000  in parts: 20" in done.stderr
    assert (out / "manifest.jsonl").read_bytes().startswith(finished)


def test_a_cluster_that_is_not_installed_is_2_and_says_how_to_get_it(
    unmist, tmp_path, hosts, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = unmist(*job(hosts, "--on", "ray", out=tmp_path / "out"))
    assert done.exit_code == 2
    assert "pip install 'unmist[ray]'" in done.stderr
    assert unmist(*job(hosts, "--workers", 2, out=tmp_path / "out")).exit_code == 2
    assert not (tmp_path / "out").exists()
