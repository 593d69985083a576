"""Verdicts as events of the Elastic Common Schema.

Schema: https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html. What it has no field for
is under ``unmist``.
"""

from datetime import UTC, datetime
from typing import Any, Final

from unmist.io.producer import Producer
from unmist.verdict import Verdict

ECS_VERSION: Final = "8.11.0"

# Field kind to event.category and to the field that holds the text.
_PLACES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "hostname": ("network", ("dns", "question", "name")),
    "url": ("web", ("url", "original")),
    "http": ("web", ("url", "original")),
    "header": ("web", ("user_agent", "original")),
    "command": ("process", ("process", "command_line")),
    "path": ("file", ("file", "path")),
}


def ecs_event(verdict: Verdict, producer: Producer, milliseconds: int) -> dict[str, Any]:
    """The event of one verdict.

    Args:
        verdict: a bad row becomes an event of kind ``pipeline_error``.
        producer: who gave it.
        milliseconds: when, since 1970 in UTC.
    """
    seconds, rest = divmod(milliseconds, 1000)
    moment = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
    details: dict[str, Any] = {"kind": "event", "type": ["info"]}
    event: dict[str, Any] = {
        "@timestamp": moment,
        "ecs": {"version": ECS_VERSION},
        "event": details,
    }
    details |= {"module": "unmist", "dataset": f"unmist.{verdict.task}"}
    category, path = _PLACES.get(verdict.field, (None, ("message",)))
    if verdict.status == "bad_input":
        details |= {"kind": "pipeline_error", "type": ["error"]}
        event["error"] = {"code": verdict.reason, "message": f"bad row: {verdict.reason}"}
        path = ("message",)
    elif category is not None:
        details["category"] = [category]
    _put(event, path, verdict.text)
    if path == ("dns", "question", "name"):
        event["related"] = {"hosts": [verdict.text]}
    if verdict.source not in (None, "-"):
        event["log"] = {"file": {"path": verdict.source}}
    event["unmist"] = {
        "field": verdict.field,
        "task": verdict.task,
        "label": verdict.label,
        "score": verdict.score,
        "status": verdict.status,
        "reason": verdict.reason,
        "model_label": verdict.model_label,
        "model_score": verdict.model_score,
        "line": verdict.line,
        "version": producer.version,
        "model": {
            "name": producer.model,
            "version": producer.model_version,
            "hash": producer.model_hash,
        },
    }
    return event


def _put(event: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    *outer, last = path
    for name in outer:
        event = event.setdefault(name, {})
    event[last] = value
