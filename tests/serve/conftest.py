"""A service on a fake model: inside this process, or as a process of its own."""

import asyncio
import json
import os
import runpy
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from starlette.testclient import TestClient

from unmist.serve.app import build
from unmist.serve.settings import Settings

FAKE = Path(__file__).with_name("fake_model.py")
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("UNMIST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def fake():
    """The names of ``fake_model.py``."""
    return SimpleNamespace(**runpy.run_path(str(FAKE)))


@pytest.fixture
def model(fake):
    return fake.FakeModel()


@pytest.fixture
def service(model):
    """Build a service on ``model``; settings by name."""
    return lambda **settings: build(model, Settings(**settings))


@pytest.fixture
def client(service):
    """A client of a service with the default settings."""
    with TestClient(service().app) as client:
        yield client


@pytest.fixture
def running():
    """``async with running(service) as client``: an asynchronous client in this event loop."""

    @asynccontextmanager
    async def run(service):
        transport = httpx2.ASGITransport(service.app)
        async with (
            service.app.router.lifespan_context(service.app),
            httpx2.AsyncClient(transport=transport, base_url="http://unmist") as client,
        ):
            yield client

    return run


@pytest.fixture
def until():
    """Wait until something is true, on the event loop."""

    async def wait(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            await asyncio.sleep(0.005)

    return wait


class Process:
    """``unmist serve`` on a free port; ``log`` is what it has written so far."""

    def __init__(self, log_path, flags, environment):
        self._log_path = log_path
        command = [sys.executable, str(FAKE), "serve", "--port", "0", *map(str, flags)]
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **environment}
            )
        deadline = time.monotonic() + 30
        while not (serving := [e for e in self.events() if e["event"] == "serving"]):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        self.address = ("127.0.0.1", serving[0]["port"])
        self.url = f"http://127.0.0.1:{serving[0]['port']}"

    @property
    def log(self):
        return self._log_path.read_text()

    def events(self):
        lines = self.log.split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    """Start ``unmist serve FLAGS``; whatever is left of it at the end is killed."""
    started = []

    def run(*flags, **environment):
        started.append(Process(tmp_path / f"log-{len(started)}", flags, environment))
        return started[-1]

    yield run
    for process in started:
        process.close()
