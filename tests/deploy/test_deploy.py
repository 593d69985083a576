"""The files under ``deploy/`` say what the service understands, and run it without privileges."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from unmist.cli.serve import SETTINGS

yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is in unmist[dev]")
DEPLOY = Path(__file__).parents[2] / "deploy"
FLAGS = {"--" + name.replace("_", "-") for name, *_ in SETTINGS} | {"--config", "--model"}
VARIABLES = {"UNMIST_SERVE_" + name.upper() for name, *_ in SETTINGS}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def objects() -> dict[str, dict]:
    found = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {one["kind"]: one for one in found}


def flags_of(words: list[str]) -> set[str]:
    return {word.split("=")[0] for word in words if word.startswith("--")}


def test_the_image_is_not_root_and_holds_the_model() -> None:
    steps = instructions()
    known = {
        *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE"),
        *("HEALTHCHECK", "ENTRYPOINT", "CMD"),
    }
    assert {name for name, _ in steps} <= known
    last = steps[max(i for i, (name, _) in enumerate(steps) if name == "FROM") :]
    [user] = [value for name, value in last if name == "USER"]
    assert int(user.split(":")[0]) > 0
    images = [value.split()[0] for name, value in steps if name == "FROM"]
    assert all(":" in image and not image.endswith(":latest") for image in images)
    assert any(name == "RUN" and "model verify" in value for name, value in steps)
    # A list, so that SIGTERM reaches the service and not a shell.
    assert [value for name, value in last if name == "ENTRYPOINT"] == ['["unmist"]']
    for source in [v for n, v in steps if n == "COPY" and "--from" not in v]:
        for name in source.split()[:-1]:
            assert (DEPLOY.parent / name).exists(), name


def test_the_image_sets_what_the_service_knows() -> None:
    set_ = re.findall(
        r"(UNMIST_[A-Z_]+)=", " ".join(value for name, value in instructions() if name == "ENV")
    )
    assert set_
    assert set(set_) <= VARIABLES


def test_the_pods_have_no_privileges_and_drain() -> None:
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    stop = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > 30 + stop
    assert flags_of(container["args"]) <= FLAGS
    assert {entry["name"] for entry in container["env"]} <= VARIABLES


def test_ports_and_labels_fit_together() -> None:
    found = objects()
    assert set(found) == {"Deployment", "Service", "NetworkPolicy"}
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    ports = found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"]
    names = {port["name"] for port in ports}
    assert found["Service"]["spec"]["selector"].items() <= labels.items()
    assert {port["targetPort"] for port in found["Service"]["spec"]["ports"]} <= names
    policy = found["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} <= names
    assert policy["egress"] == []


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read(DEPLOY / "unmist.service")
    return parsed


def test_the_unit_runs_the_service_and_waits_for_it() -> None:
    parsed = unit()
    assert parsed.sections() == ["Unit", "Service", "Install"]
    service = parsed["Service"]
    command = shlex.split(service["ExecStart"])
    assert command[1] == "serve"
    assert flags_of(command) <= FLAGS
    assert int(service["TimeoutStopSec"]) > 30
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "unmist.service").read_text()
    here = tmp_path / "unmist.service"
    here.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, timeout=60
    )
    about_it = [line for line in done.stderr.splitlines() if "unmist.service" in line]
    assert about_it == []
