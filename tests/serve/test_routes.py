"""What else is answered: models, state, documents, the page, and errors of every kind."""

import base64
import hashlib
import re

import pytest


def test_models_are_the_encoder_and_its_tasks(client, model):
    cards = client.get("/v1/models").json()["data"]
    assert [card["id"] for card in cards] == ["unmist-small", "host-category", "url-category"]
    assert [card["kind"] for card in cards] == ["encoder", "task", "task"]
    assert cards[0]["hash"] == model.hash
    own = [model.info()["tasks"][task]["hash"] for task in model.tasks]
    assert [card["hash"] for card in cards[1:]] == own
    assert cards[0]["dimensions"] == 8
    assert client.get("/v1/models/url-category").json() == cards[2]
    assert client.get("/v1/models/nothing").json()["error"]["code"] == "model_not_found"


def test_state(client):
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}


def test_draining_turns_ready_and_new_requests_away(service, running):
    import asyncio

    async def scenario():
        built = service()
        async with running(built) as client:
            built.admission.draining = True
            ready = await client.get("/ready")
            assert ready.status_code == 503
            assert ready.json()["error"]["code"] == "shutting_down"
            assert (await client.get("/health")).status_code == 200
            asked = await client.post("/v1/classify", json={"rows": []})
            assert asked.status_code == 503
            assert asked.headers["retry-after"] == "1"

    asyncio.run(scenario())


def test_openapi_names_the_errors_that_are_sent(client):
    document = client.get("/openapi.json").json()
    for path in ("/v1/embeddings", "/v1/classify"):
        responses = document["paths"][path]["post"]["responses"]
        assert set(responses) == {"200", "4XX", "5XX"}


def test_the_page_runs_nothing_but_itself(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "://" not in page.text
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval|\son\w+=", page.text)


def test_request_ids(client):
    given = client.get("/health", headers={"x-request-id": "abc-1.2_Z"})
    assert given.headers["x-request-id"] == "abc-1.2_Z"
    for bad in ("a b", "x" * 65, "<script>", '"', ""):
        made = client.get("/health", headers={"x-request-id": bad}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/embeddings", 405, "method_not_allowed"),
        ("DELETE", "/v1/classify", 405, "method_not_allowed"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
def test_the_frameworks_errors_have_the_shape_too(client, method, path, status, code):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


def test_no_foreign_origin_is_let_in(client):
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = client.options("/v1/classify", headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]
