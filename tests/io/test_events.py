"""Verdicts as OCSF findings and as ECS events."""

import io
import json
from typing import Any

import msgspec
import pytest

from unmist.io import Producer, VerdictWriter, event_shape
from unmist.io.ecs import ecs_event
from unmist.io.ocsf import ocsf_finding
from unmist.verdict import Verdict

PRODUCER = Producer("0.1.0", "unmist-tiny", "0.0.1", "ab" * 32)
OK = Verdict(
    text="a.org",
    field="hostname",
    task="host-category",
    label="news",
    score=0.914,
    status="ok",
    reason=None,
    model_label="news",
    model_score=0.914,
    source="dns.log",
    line=9,
)
ABSTAIN = msgspec.structs.replace(
    OK, label=None, score=0.0, status="abstain", reason="below_threshold"
)
BAD = msgspec.structs.replace(OK, label=None, score=0.0, status="bad_input", reason="nul_byte")
TIME = 1_700_000_000_042


def written(event: object) -> Any:
    return json.loads(msgspec.json.encode(event))


def test_a_finding() -> None:
    finding = written(ocsf_finding(OK, PRODUCER, TIME))
    uid = finding["finding_info"].pop("uid")
    assert finding == {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": TIME,
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "New",
        "confidence_score": 91,
        "message": "a.org: news",
        "metadata": {
            "version": "1.8.0",
            "profiles": ["ai_operation"],
            "product": {"name": "unmist", "vendor_name": "unmist", "version": "0.1.0"},
        },
        "finding_info": {
            "title": "host-category: news",
            "created_time": TIME,
            "analytic": {
                "name": "host-category",
                "type_id": 4,
                "type": "Learning (ML/DL)",
                "version": "0.0.1",
            },
            "types": ["news"],
            "data_sources": ["dns.log"],
        },
        "ai_model": {
            "name": "unmist-tiny",
            "ai_provider": "unmist",
            "version": "0.0.1",
            "uid": "ab" * 32,
        },
        "unmapped": written(OK),
        "observables": [
            {"name": "unmapped.text", "type_id": 1, "type": "Hostname", "value": "a.org"}
        ],
    }
    assert len(uid) == 32
    assert finding["class_uid"] * 100 + finding["activity_id"] == finding["type_uid"]


def test_an_abstention_and_a_bad_row_are_findings_without_a_label() -> None:
    said = [written(ocsf_finding(verdict, PRODUCER, TIME)) for verdict in (ABSTAIN, BAD)]
    titles = [finding["finding_info"]["title"] for finding in said]
    assert titles == [
        "host-category: abstain (below_threshold)",
        "host-category: bad_input (nul_byte)",
    ]
    assert [finding["confidence_score"] for finding in said] == [0, 0]
    assert all("types" not in finding["finding_info"] for finding in said)
    assert ["observables" in finding for finding in said] == [True, False]


@pytest.mark.parametrize(
    ("field", "type_id"), [("hostname", 1), ("url", 6), ("command", 13), ("path", 45), ("log", 99)]
)
def test_observables_by_field(field: str, type_id: int) -> None:
    finding = ocsf_finding(msgspec.structs.replace(OK, field=field), PRODUCER, TIME)
    assert finding["observables"][0]["type_id"] == type_id


def test_a_repeated_row_has_the_same_uid() -> None:
    def uid(verdict: Verdict, time: int = TIME, producer: Producer = PRODUCER) -> str:
        found: str = ocsf_finding(verdict, producer, time)["finding_info"]["uid"]
        return found

    assert uid(OK, TIME + 5000) == uid(OK)
    changes = [{"line": 10}, {"source": "b.log"}, {"task": "t"}, {"text": "b.org"}]
    others = [uid(msgspec.structs.replace(OK, **change)) for change in changes]
    others.append(uid(OK, producer=msgspec.structs.replace(PRODUCER, model_hash="cd" * 32)))
    assert len({uid(OK), *others}) == 6


def test_an_event() -> None:
    assert written(ecs_event(OK, PRODUCER, TIME)) == {
        "@timestamp": "2023-11-14T22:13:20.042Z",
        "ecs": {"version": "8.11.0"},
        "event": {
            "kind": "event",
            "type": ["info"],
            "module": "unmist",
            "dataset": "unmist.host-category",
            "category": ["network"],
        },
        "dns": {"question": {"name": "a.org"}},
        "related": {"hosts": ["a.org"]},
        "log": {"file": {"path": "dns.log"}},
        "unmist": {
            "field": "hostname",
            "task": "host-category",
            "label": "news",
            "score": 0.914,
            "status": "ok",
            "reason": None,
            "model_label": "news",
            "model_score": 0.914,
            "line": 9,
            "version": "0.1.0",
            "model": {"name": "unmist-tiny", "version": "0.0.1", "hash": "ab" * 32},
        },
    }


@pytest.mark.parametrize(
    ("field", "category", "path"),
    [
        ("url", ["web"], ("url", "original")),
        ("header", ["web"], ("user_agent", "original")),
        ("command", ["process"], ("process", "command_line")),
        ("path", ["file"], ("file", "path")),
        ("prose", None, ("message",)),
    ],
)
def test_the_text_has_its_place(
    field: str, category: list[str] | None, path: tuple[str, ...]
) -> None:
    event: Any = ecs_event(msgspec.structs.replace(OK, field=field), PRODUCER, TIME)
    assert event["event"].get("category") == category
    for name in path:
        event = event[name]
    assert event == "a.org"


def test_a_bad_row_is_a_pipeline_error() -> None:
    event = ecs_event(msgspec.structs.replace(BAD, source="-"), PRODUCER, TIME)
    assert event["event"]["kind"] == "pipeline_error"
    assert "category" not in event["event"]
    assert event["error"]["code"] == "nul_byte"
    assert event["message"] == "a.org"
    assert {"dns", "related", "log"}.isdisjoint(event)


@pytest.mark.parametrize("format", ["ocsf", "ecs"])
def test_the_writer_takes_the_shape(format: Any) -> None:
    stream = io.BytesIO()
    with VerdictWriter(stream, event_shape(format, PRODUCER)) as writer:
        for verdict in (OK, ABSTAIN, BAD):
            writer.write(verdict)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(e.get("unmapped") or e["unmist"])["status"] for e in events] == [
        "ok",
        "abstain",
        "bad_input",
    ]
