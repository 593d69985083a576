"""No socket is ever opened: not by the library, its dependencies, or the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
LABELLED, NAMES = EXAMPLES / "labelled.csv", EXAMPLES / "hostnames.txt"
COLUMNS = ("--text", "host", "--label", "kind")

# Raised from the audit hook, so that nobody's ``except Exception`` can hide it.
GUARD = """
import sys

class Network(BaseException):
    pass

NETWORK = ("socket.", "http.client.", "urllib.", "ftplib.", "smtplib.")
# Another process would not necessarily carry this hook.
PROCESS = ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen")

def forbid(event, args):
    if event.startswith(NETWORK + PROCESS):
        raise Network(event)

sys.addaudithook(forbid)
"""


def guarded(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD + code, *map(str, args)]
    # Else scikit-learn starts lscpu, to learn how many cores this machine has.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_the_guard_sees_the_network() -> None:
    for attempt in (
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
    ):
        done = guarded(attempt)
        assert done.returncode == 1
        assert "Network:" in done.stderr


def test_openvino_gets_its_own_stub(tiny_model_folder: Path) -> None:
    done = guarded(
        "import sys, unmist; unmist.load(sys.argv[1])\n"
        "import openvino.tools.ovc as ovc\n"
        "print(type(ovc.telemetry).__module__, 'openvino_telemetry' in sys.modules)",
        tiny_model_folder,
    )
    assert done.stdout == "openvino.tools.ovc.telemetry_stub False\n"


def test_the_library_stays_offline(tiny_model_folder: Path) -> None:
    done = guarded(
        "import unmist\n"
        "model = unmist.load(sys.argv[1], threads=1)\n"
        "verdicts = model.classify(['casino-lake.com', 'http://example.com/', b'\\xff'])\n"
        "print(len(verdicts), model.embed(['a.com']).shape, model.info()['layers'])\n",
        tiny_model_folder,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 (1, 64) 2\n"


def test_the_command_line_stays_offline(tiny_model_folder: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("casino-lake.com\nhttp://example.com/\n")
    run = "from unmist.cli import main\nmain(prog_name='unmist')\n"
    done = guarded(run, "classify", "-q", "--jsonl", "--model", tiny_model_folder, names)
    assert (done.returncode, done.stderr) == (0, "")
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [verdict["text"] for verdict in verdicts] == names.read_text().split()
    tail = ("tail", "--once", "--from-start", "--state", tmp_path / "state", "-q")
    followed = guarded(run, *tail, "--model", tiny_model_folder, names)
    assert (followed.returncode, followed.stderr) == (0, "")
    assert [json.loads(line) for line in followed.stdout.splitlines()] == verdicts


def test_the_other_verbs_stay_offline(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    """All but ``serve``, whose business it is."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "names.txt").write_text("casino-lake.com\nhttp://example.com/\n")
    model = ("--model", tiny_model_folder)
    dev = data_folder / "tasks/host-category/dev.tsv.zst"
    for verb in (
        ("embed", "-q", *model, "-o", tmp_path / "vectors.npy", logs / "names.txt"),
        ("explain", "--jsonl", *model, "casino-lake.com"),
        ("model", "info", "--json", *model),
        ("model", "verify", "--json", *model),
        ("evaluate", "host-category", *model, "--data", dev, "--json"),
        ("run", logs, "--task", "host-category", "-o", tmp_path / "out", *model),
        ("index", logs / "names.txt", "-o", tmp_path / "index", *model),
        ("search", tmp_path / "index", "casino-lake.com", "--json", *model),
        ("dedupe", logs / "names.txt", *model),
        ("export", tmp_path / "index", "--to", "postgres", "-o", tmp_path / "rows.sql"),
        ("calibrate", "host-category", "--data", dev, "-o", tmp_path / "again", *model),
        ("train", LABELLED, *COLUMNS, "-o", tmp_path / "mine", "--minutes", "0.01", *model),
        ("map", NAMES, "-o", tmp_path / "map.html", *model),
    ):
        done = guarded("from unmist.cli import main\nmain(prog_name='unmist')\n", *verb)
        assert done.returncode == 0, (verb, done.stderr)
        assert "Network" not in done.stderr
