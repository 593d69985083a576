"""``POST /v1/embeddings`` is OpenAI's."""

import base64

import numpy as np
import pytest

from unmist.serve.embeddings import shortened


def embed(client, **request):
    return client.post("/v1/embeddings", json={"model": "unmist-small", **request})


def test_one_text(client, fake):
    answer = embed(client, input="a.example")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"object", "data", "model", "usage"}
    assert (body["object"], body["model"]) == ("list", "unmist-small")
    assert body["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
    [one] = body["data"]
    assert (one["object"], one["index"]) == ("embedding", 0)
    assert np.array_equal(np.float32(one["embedding"]), fake.vector("a.example", "hostname"))
    assert answer.headers["x-model-hash"] == fake.FakeModel.hash


def test_many_texts_of_a_field_as_base64(client, fake):
    texts = ["http://a/", "http://b/", "http://a/"]
    body = embed(client, input=texts, encoding_format="base64", field="url").json()
    assert [one["index"] for one in body["data"]] == [0, 1, 2]
    for text, one in zip(texts, body["data"], strict=True):
        found = np.frombuffer(base64.b64decode(one["embedding"]), "<f4")
        assert np.array_equal(found, fake.vector(text, "url"))


def test_full_dimensions_and_user_are_allowed(client):
    assert embed(client, input="a.example", dimensions=8, user="me").status_code == 200


@pytest.mark.parametrize("form", ["float", "base64"])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_fewer_dimensions_are_the_first_ones_at_length_1(client, fake, size, form):
    body = embed(client, input="a.example", dimensions=size, encoding_format=form).json()
    found = body["data"][0]["embedding"]
    if form == "base64":
        found = np.frombuffer(base64.b64decode(found), "<f4")
    expected = fake.vector("a.example", "hostname")[:size]
    assert len(found) == size
    assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_a_vector_that_starts_with_nothing_stays_nothing():
    assert shortened(np.float32([0, 0, 1]), 2).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("request_", "status", "code", "param"),
    [
        ({"model": "other", "input": "a"}, 404, "model_not_found", "model"),
        ({"input": [1, 2, 3]}, 400, "token_arrays_not_supported", "input"),
        ({"input": [[1, 2], [3]]}, 400, "token_arrays_not_supported", "input"),
        ({"input": {"a": 1}}, 400, "invalid_input", "input"),
        ({"input": ["a", None]}, 400, "invalid_input", "input"),
        ({"input": ""}, 400, "empty", "input"),
        ({"input": []}, 400, "empty", "input"),
        ({"input": ["a", ""]}, 400, "empty", "input[1]"),
        ({"input": "a", "dimensions": 9}, 400, "unsupported_dimensions", "dimensions"),
        ({"input": "a", "dimensions": 0}, 400, "greater_than_equal", "dimensions"),
        ({"input": "a", "dimensions": "4"}, 400, "int_type", "dimensions"),
        ({"input": "a", "field": "poem"}, 400, "unknown_field", "field"),
        ({"input": "a", "encoding_format": "hex"}, 400, "literal_error", "encoding_format"),
        ({"input": "a", "adapter": "/etc"}, 400, "extra_forbidden", "adapter"),
        ({}, 400, "missing", "input"),
        ({"input": ["a"] * 2049}, 400, "array_above_max_length", "input"),
        ({"input": ["a", "é" * 4097]}, 400, "string_above_max_length", "input[1]"),
    ],
)
def test_refusals_have_openais_shape(client, model, request_, status, code, param):
    answer = embed(client, **request_)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["param"] == param
    assert model.calls == []


def test_a_text_of_the_full_size_is_taken(client):
    assert embed(client, input="é" * 4096).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 17,
        b"\xff\xfe",
        b'{"input": "\\ud800", "model": "unmist-small"}',
        b'{"input": "a", "model": "\\ud800"}',
        b'{"input": "a", "model": "unmist-small", "\\ud800": 1}',
    ],
)
def test_what_is_no_request_is_refused(client, body):
    answer = client.post(
        "/v1/embeddings", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_another_content_type_is_refused(client):
    answer = client.post(
        "/v1/embeddings",
        content=b'{"model": "unmist-small", "input": "a"}',
        headers={"content-type": "text/plain"},
    )
    assert answer.status_code == 400
