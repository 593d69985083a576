"""The command line in this process or in one of its own, on a fake model."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from unmist.cli import main

FAKE = Path(__file__).with_name("fake_unmist.py")


@pytest.fixture
def fake():
    """The names of ``fake_unmist.py``."""
    return runpy.run_path(str(FAKE))


@pytest.fixture
def unmist(monkeypatch, fake):
    """Run ``unmist ARGS`` in this process; the result has exit_code, stdout and stderr."""
    monkeypatch.setitem(sys.modules, "unmist.model", fake["module"]())
    monkeypatch.delenv("UNMIST_MODEL", raising=False)

    def run(*args, stdin=None):
        arguments = [str(argument) for argument in args]
        return CliRunner().invoke(main, arguments, input=stdin, prog_name="unmist")

    return run


@pytest.fixture
def start():
    """Start ``unmist ARGS`` as a process; whatever is left of it at the end is killed."""
    started = []

    def run(*args, **options):
        command = [sys.executable, str(FAKE), *(str(argument) for argument in args)]
        process = subprocess.Popen(command, **options)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


@pytest.fixture
def hosts(tmp_path):
    """Five rows: two answered, one abstained on, two bad."""
    path = tmp_path / "hosts.txt"
    path.write_bytes(b"news.example\ntracker.example\n\nmaybe.example\na\x00b.example\n")
    return path
