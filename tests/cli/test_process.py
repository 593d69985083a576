"""What only a real process shows: start-up, pipes, signals and terminals."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and terminals of POSIX")
PIPE = subprocess.PIPE


@pytest.mark.parametrize(
    "args", [["--help"], ["classify", "--help"], ["embed", "-h"], ["run", "-h"], ["tail", "-h"]]
)
def test_help_imports_neither_numpy_nor_openvino(args):
    code = (
        "import sys\n"
        "from unmist.cli import main\n"
        f"main({args!r}, prog_name='unmist', standalone_mode=False)\n"
        "heavy = {'numpy', 'openvino', 'pyarrow', 'tokenizers', 'tqdm'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: unmist" in done.stdout


def test_help_imports_nothing_heavy():
    """What keeps help quick; how quick depends on the machine and how busy it is."""
    code = (
        "import sys; from unmist.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'openvino', 'pyarrow', 'safetensors', 'tokenizers', 'torch'}\n"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout


def test_version():
    done = subprocess.run([sys.executable, "-m", "unmist", "--version"], stdout=PIPE, text=True)
    assert re.fullmatch(r"unmist \S.*\n", done.stdout)


def test_a_reader_that_leaves_ends_the_run_quietly(start, tmp_path):
    many = tmp_path / "many.txt"
    many.write_text("news.example\n" * 20_000)
    process = start("classify", "--jsonl", many, stdout=PIPE, stderr=PIPE)
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(20) == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_one_line(start, hosts):
    with open("/dev/full", "wb") as full:
        process = start("classify", "-q", hosts, stdout=full, stderr=PIPE)
        assert process.stderr.read().startswith(b"unmist: error: ")
        assert process.wait(20) == 2


def test_interrupt_is_130_and_leaves_no_file(start, tmp_path):
    out = tmp_path / "out.jsonl"
    process = start("classify", "-o", out, stdin=PIPE, stderr=PIPE)
    process.stdin.write(b"slow.example\n")
    process.stdin.close()
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)  # the temporary file shows that the run is under way
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == b""
    assert process.wait(20) == 130
    assert list(tmp_path.iterdir()) == []


def on_terminal(start, *args, columns=80, **environment):
    """What ``unmist ARGS`` shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    env |= {"COLUMNS": str(columns), **environment}
    process = start(*args, stdin=theirs, stdout=theirs, stderr=PIPE, env=env)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65_536):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(20), shown.decode(), process.stderr.read().decode()


def test_no_input_on_a_terminal_is_explained(start):
    code, shown, said = on_terminal(start, "classify")
    assert code == 2
    assert shown == ""
    assert "standard input is a terminal" in said


def test_terminal_table_has_colour_and_fits(start, tmp_path):
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("x" * 300 + ".news.example\nmaybe\x1b[31m.example\n")
    _, shown, _ = on_terminal(start, "classify", "-q", hosts)
    assert "\x1b[2m" in shown
    assert "\\x1b[31m" in shown
    plain = re.sub(r"\x1b\[\d+m", "", shown).splitlines()
    assert "…" in plain[1]
    assert all(len(line) <= 80 for line in plain)


def test_no_color_is_respected(start, hosts):
    _, shown, _ = on_terminal(start, "classify", "-q", hosts, NO_COLOR="1")
    assert "\x1b" not in shown


def test_vectors_are_not_poured_onto_a_terminal(start, hosts):
    code, shown, said = on_terminal(start, "embed", hosts)
    assert (code, shown) == (2, "")
    assert "-o OUT.npy" in said
