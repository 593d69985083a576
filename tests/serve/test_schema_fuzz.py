"""Requests that schemathesis makes from the OpenAPI document, fitting and unfitting ones: no answer
is a server error, and every answer is as the document says.

UNMIST_SCHEMA_EXAMPLES=2000 makes it a longer run.
"""

import os
import warnings

import pytest
from hypothesis import HealthCheck, given, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip(
        "schemathesis", reason="needs schemathesis, which is in unmist[dev]"
    )
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
VARIED = {"/v1/embeddings", "/v1/classify"}
PATHS = VARIED | {"/v1/models", "/v1/models/{model}", "/health", "/ready"}
EXAMPLES = int(os.environ.get("UNMIST_SCHEMA_EXAMPLES", "20"))


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.filterwarnings("ignore")
def test_no_request_is_a_server_error(start, mode):
    server = start("--max-inputs", 50)
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        asked.add(operation.path)
        if operation.path not in VARIED:
            given_ = {"path_parameters": {"model": "none"}} if "{" in operation.path else {}
            operation.Case(**given_).call_and_validate(checks=CHECKS, timeout=20)
            continue

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            case.call_and_validate(checks=CHECKS, timeout=20)

        ask()
    assert asked == PATHS
    statuses = {e["status"] for e in server.events() if e["event"] == "request"}
    assert max(statuses) < 500
