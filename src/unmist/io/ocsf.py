"""Verdicts as OCSF Detection Findings.

Schema: https://schema.ocsf.io/1.8.0/classes/detection_finding. The object ``ai_model`` and the
profile ``ai_operation`` are new in 1.8.0, which lists the profile for activity classes only;
a strict validator calls them unknown in a finding.
"""

import hashlib
from typing import Any, Final

from unmist.io.producer import Producer
from unmist.verdict import Verdict

OCSF_VERSION: Final = "1.8.0"

_OTHER: Final = 99
_OBSERVABLES: Final = {
    "hostname": (1, "Hostname"),
    "url": (6, "URL String"),
    "command": (13, "Command Line"),
    "path": (45, "File Path"),
}
_UID_CHARS: Final = 32


def ocsf_finding(verdict: Verdict, producer: Producer, milliseconds: int) -> dict[str, Any]:
    """The finding of one verdict.

    ``finding_info.uid`` is the same whenever the same model is asked about the same row of the same
    source, so a row that is answered twice can be recognised.

    Args:
        verdict: also an abstention or a bad row, which are findings without a label.
        producer: who gave it.
        milliseconds: when, since 1970 in UTC.
    """
    said = verdict.label or verdict.status
    if verdict.label is None and verdict.reason is not None:
        said = f"{said} ({verdict.reason})"
    info: dict[str, Any] = {
        "uid": _uid(verdict, producer),
        "title": f"{verdict.task}: {said}",
        "created_time": milliseconds,
        "analytic": {
            "name": verdict.task,
            "type_id": 4,
            "type": "Learning (ML/DL)",
            "version": producer.model_version,
        },
    }
    if verdict.label is not None:
        info["types"] = [verdict.label]
    if verdict.source is not None:
        info["data_sources"] = [verdict.source]
    finding: dict[str, Any] = {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": milliseconds,
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "New",
        "confidence_score": round(100 * verdict.score),
        "message": f"{verdict.text}: {said}",
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["ai_operation"],
            "product": {"name": "unmist", "vendor_name": "unmist", "version": producer.version},
        },
        "finding_info": info,
        "ai_model": {
            "name": producer.model,
            "ai_provider": "unmist",
            "version": producer.model_version,
            "uid": producer.model_hash,
        },
        "unmapped": verdict,
    }
    if verdict.status != "bad_input":
        type_id, type_ = _OBSERVABLES.get(verdict.field, (_OTHER, verdict.field))
        finding["observables"] = [
            {"name": "unmapped.text", "type_id": type_id, "type": type_, "value": verdict.text}
        ]
    return finding


def _uid(verdict: Verdict, producer: Producer) -> str:
    parts = (producer.model_hash, verdict.task, verdict.source, verdict.line, verdict.text)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_UID_CHARS]
