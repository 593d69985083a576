"""``unmist tail``: the verb in this process, and what only a real process shows."""

import json
import os
import signal
import subprocess
import time
from functools import partial

import pytest

PIPE = subprocess.PIPE
PATIENCE = 60  # seconds; a busy machine is no reason to fail


def verdicts(text):
    return [json.loads(line) for line in text.splitlines()]


def texts(text):
    return [verdict["text"] for verdict in verdicts(text)]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "hosts.log"
    path.write_text("one.example\nnews.example\nhal")
    return path


def test_once_answers_what_is_there(unmist, log):
    result = unmist("tail", "--once", "--from-start", log)
    assert texts(result.stdout) == ["one.example", "news.example"]
    assert [v["line"] for v in verdicts(result.stdout)] == [1, 2]
    assert {v["source"] for v in verdicts(result.stdout)} == {str(log)}
    assert "rows       2" in result.stderr
    assert result.exit_code == 0


def test_two_tasks_are_asked_about_every_row(unmist, log):
    tasks = ("--task", "url-category", "--task", "url-threat")
    result = unmist("tail", "--once", "--from-start", *tasks, log)
    asked = [(v["line"], v["task"]) for v in verdicts(result.stdout)]
    assert asked == [(line, task) for line in (1, 2) for task in ("url-category", "url-threat")]
    assert "rows       2" in result.stderr


def test_without_from_start_it_begins_at_the_end(unmist, log):
    assert unmist("tail", "--once", log).stdout == ""


def test_the_state_goes_on(unmist, log, tmp_path):
    state = tmp_path / "state.json"
    run = ("tail", "--once", "-q", "--state", state, log)
    assert unmist(*run).stdout == ""
    with log.open("a") as file:
        file.write("f.example\nlater.example\n")
    result = unmist(*run)
    assert texts(result.stdout) == ["half.example", "later.example"]
    assert [v["line"] for v in verdicts(result.stdout)] == [3, 4]
    assert unmist(*run).stdout == ""
    log.rename(tmp_path / "hosts.log.1")
    with (tmp_path / "hosts.log.1").open("a") as file:
        file.write("last.example\n")
    log.write_text("new.example\n")
    assert texts(unmist(*run).stdout) == ["last.example", "new.example"]


def test_the_state_is_saved_after_the_answers(unmist, log, tmp_path):
    state, out = tmp_path / "state.json", tmp_path / "none" / "out.jsonl"
    failed = unmist("tail", "--once", "--from-start", "--state", state, "-o", out, log)
    assert failed.exit_code == 2
    assert not state.exists()
    with log.open("a") as file:
        file.write(".example\nbroken.example\n")
    failed = unmist("tail", "--once", "--from-start", "--state", state, log)
    assert failed.exit_code == 2
    assert not state.exists()


def test_standard_input_is_followed_to_its_end(unmist):
    result = unmist("tail", "-", stdin="a.example\nnews.example")
    assert texts(result.stdout) == ["a.example", "news.example"]
    assert {v["source"] for v in verdicts(result.stdout)} == {"-"}
    assert result.exit_code == 0


def test_bad_rows_are_1(unmist):
    result = unmist("tail", "-q", "-", stdin="a.example\n\n")
    assert [v["status"] for v in verdicts(result.stdout)] == ["ok", "bad_input"]
    assert result.exit_code == 1


def test_out_is_appended_to_and_a_torn_line_ended(unmist, log, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text('{"whole": 1}\n{"torn": ')
    run = ("tail", "--once", "--from-start", "-q", "-o", out, log)
    assert unmist(*run).stdout == ""
    first, torn, *others = out.read_text().splitlines()
    assert (first, torn) == ('{"whole": 1}', '{"torn": ')
    assert [json.loads(line)["text"] for line in others] == ["one.example", "news.example"]
    unmist(*run)
    assert len(out.read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("format_", "check"),
    [
        ("ocsf", lambda e: (e["class_uid"], e["ai_model"]["name"]) == (2004, "fake")),
        ("ecs", lambda e: e["unmist"]["model"] == {"name": "fake", "version": "1", "hash": HASH}),
    ],
)
def test_events(unmist, log, format_, check):
    result = unmist("tail", "--once", "--from-start", "--output-format", format_, log)
    assert [check(event) for event in verdicts(result.stdout)] == [True, True]


HASH = "ab" * 32


def test_zeek_goes_on_after_its_header(unmist, tmp_path):
    log, state = tmp_path / "dns.log", tmp_path / "state"
    log.write_text("#separator \\x09\n#path\tdns\n#fields\tts\tquery\n1\ta.example\n")
    run = ("tail", "--once", "-q", "--state", state, log)
    assert texts(unmist(*run, "--from-start").stdout) == ["a.example"]
    with log.open("a") as file:
        file.write("2\tnews.example\n3\t-\n")
    (found,) = verdicts(unmist(*run).stdout)
    assert (found["text"], found["line"]) == ("news.example", 5)


def test_all_filtered_is_a_warning(unmist, tmp_path):
    log = tmp_path / "eve.json"
    log.write_text('{"timestamp": "t", "event_type": "flow"}\n')
    result = unmist("tail", "--once", "--from-start", "-q", log)
    assert "warning: no row was answered" in result.stderr


def test_mistakes_are_2_and_explained(unmist, log, tmp_path):
    for args, said in [
        (("--once", tmp_path / "none.log"), "no such file"),
        (("--state", tmp_path / "s", "-"), "cannot be read again"),
        (("-o", log, log), "is the log itself"),
        (("--state", log, log), "no state of"),
        (("--task", "astrology", log), "host-category"),
        (("--format", "csv", log), "csv"),
        (("--poll", "0", log), "--poll"),
        ((tmp_path,), "not a regular file"),
    ]:
        result = unmist("tail", *args)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
        assert "Traceback" not in result.stderr


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_the_state(start, tmp_path, number):
    log, state = tmp_path / "hosts.log", tmp_path / "state"
    args = ("tail", "--poll", "0.05", "--from-start", "--state", state, log)
    process = start(*args, stdout=PIPE, stderr=PIPE, text=True)
    time.sleep(0.2)  # it may wait for the file by now, or be slower than that
    log.write_text("a.example\nb.example\nhal")
    assert texts(process.stdout.readline()) == ["a.example"]
    assert texts(process.stdout.readline()) == ["b.example"]
    wait_for(state.exists)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert process.stdout.read() == ""
    assert "rows       2" in process.stderr.read()
    assert json.loads(state.read_text())["position"]["offset"] == len("a.example\nb.example\n")


def test_a_pipe_is_answered_as_it_comes(start):
    process = start("tail", "-q", "-", stdin=PIPE, stdout=PIPE, text=True)
    for name in ("a.example", "news.example"):
        process.stdin.write(name + "\n")
        process.stdin.flush()
        assert texts(process.stdout.readline()) == [name]
    process.stdin.write("last.example")
    process.stdin.close()
    assert texts(process.stdout.read()) == ["last.example"]
    assert process.wait(PATIENCE) == 0


def test_killed_again_and_again_no_row_is_lost(start, tmp_path):
    log, state, out = tmp_path / "hosts.log", tmp_path / "state", tmp_path / "out.jsonl"
    log.touch()

    def answered(name):
        return out.exists() and name in out.read_text()

    args = ("tail", "-q", "--poll", "0.01", "--state", state, "--from-start", "-o", out, log)
    names = []
    for turn in range(4):
        process = start(*args)
        for _ in range(3):
            new = [f"h{len(names) + i}.example" for i in range(50)]
            names += new
            with log.open("a") as file:
                file.writelines(name + "\n" for name in new)
            wait_for(partial(answered, new[0]))
        if turn == 1:
            os.rename(log, tmp_path / "hosts.log.1")
            log.touch()
        process.kill()
        process.wait()
    assert start(*args[:-1], "--once", log).wait(PATIENCE) == 0
    found = []
    for line in out.read_text().splitlines():
        try:
            found.append(json.loads(line)["text"])
        except json.JSONDecodeError:
            continue  # torn by a kill, and answered again
    assert set(found) == set(names)
    assert list(dict.fromkeys(found)) == names
