import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unmist.batch import Annotate
from unmist.errors import UsageError

TASKS = ("host-category", "url-category")


def test_columns_types_and_hash(fake_model: Any) -> None:
    table = pa.table({"id": [1, 2], "t": ["a.news", "maybe.b"]}, metadata={"kept": "yes"})
    out = Annotate(TASKS, "t", embed=True, model=fake_model)(table)
    names = ("label", "score", "status", "reason", "model_label", "model_score")
    verdicts = [f"{task}_{n}" for task in ("host_category", "url_category") for n in names]
    assert out.column_names == ["id", "t", *verdicts, "vector"]
    assert out.schema.field("vector").type == pa.list_(pa.float16(), 4)
    assert out.schema.field("host_category_score").type == pa.float32()
    assert out.schema.metadata == {b"kept": b"yes", b"model_hash": fake_model.hash.encode()}
    assert out["host_category_status"].to_pylist() == ["ok", "abstain"]
    assert out["host_category_label"].to_pylist() == ["news", None]
    assert out["vector"].to_pylist() == [[6, 1, 2, 3], [7, 1, 2, 3]]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_binary(), pa.dictionary("int8", "string")])
def test_odd_texts_are_rows_of_their_own(fake_model: Any, kind: pa.DataType) -> None:
    column = pa.array(["a", None, " ", "x\0y"]).cast(kind)
    out = Annotate("host-category", "t", embed=True, model=fake_model)(pa.table({"t": column}))
    assert out["host_category_reason"].to_pylist() == [None, "missing_value", "empty", "nul_byte"]
    assert out["vector"].is_null().to_pylist() == [False, True, True, True]
    assert out["t"].type == kind


def test_bytes_that_are_not_utf8(fake_model: Any) -> None:
    out = Annotate(TASKS, "t", model=fake_model)(pa.table({"t": [b"\xff"]}))
    assert out["url_category_reason"].to_pylist() == ["invalid_utf8"]


def test_no_rows_have_the_same_schema(fake_model: Any) -> None:
    annotate = Annotate(TASKS, "t", embed=True, model=fake_model)
    table = pa.table({"t": ["a"]})
    assert annotate(table.slice(0, 0)).schema == annotate(table).schema


@pytest.mark.usefixtures("fake_module")
def test_a_pickled_copy_opens_its_own_model() -> None:
    annotate = Annotate(TASKS, "t")
    table = pa.table({"t": ["a.news"]})
    expected = annotate(table)
    data = pickle.dumps(annotate)
    assert len(data) < 1000
    assert pickle.loads(data)(table).equals(expected)


def test_what_cannot_be_annotated(fake_model: Any) -> None:
    with pytest.raises(UsageError, match="no task"):
        Annotate((), "t")
    for table, said in (
        (pa.table({"a": ["x"]}), "no column 't'; the table has: 'a'"),
        (pa.table({"t": [1]}), "holds int64"),
        (pa.table({"t": ["x"], "vector": [1]}), "column 'vector' already"),
    ):
        with pytest.raises(UsageError, match=said):
            Annotate(TASKS, "t", embed=True, model=fake_model)(table)


def test_a_real_model_gives_its_verdicts(tiny_model: Any) -> None:
    texts = ["riverschool.com", "poker-north.net", "x", ""]
    out = Annotate(["host-category"], "t", embed=True, model=tiny_model)(pa.table({"t": texts}))
    for row, verdict in zip(out.to_pylist(), tiny_model.classify(texts), strict=True):
        assert row["host_category_label"] == verdict.label
        assert row["host_category_model_label"] == verdict.model_label
        assert row["host_category_status"] == verdict.status
        assert row["host_category_score"] == np.float32(verdict.score)
    vectors = np.array(out["vector"].to_pylist()[:3], np.float32)
    assert np.allclose(vectors, tiny_model.embed(texts[:3]), atol=1e-3)
    none = pa.table({"t": pa.array([], pa.string())})
    empty = Annotate(["host-category"], "t", embed=True, model=tiny_model)(none)
    assert empty.schema == out.schema


def test_a_text_that_comes_again_is_asked_about_once(fake_model: Any) -> None:
    asked: list[str] = []

    class Counting(type(fake_model)):  # type: ignore[misc]
        def ask_rows(self, rows: Any, tasks: Any) -> Any:
            asked.extend(row.text for row in rows)
            return super().ask_rows(rows, tasks)

        def embed(self, texts: Any, field: str = "hostname") -> Any:
            asked.extend(texts)
            return super().embed(texts, field)

    texts = pa.chunked_array([["b", "a.news", "b"], [], ["", None, "a.news", None]])
    out = Annotate("host-category", "t", embed=True, model=Counting())(pa.table({"t": texts}))
    assert asked == ["b", "a.news", "", "", "b", "a.news"]
    label = out["host_category_label"].to_pylist()
    assert label == ["tracker", "news", "tracker", None, None, "news", None]
    assert out["host_category_reason"].to_pylist()[3:] == [
        "empty",
        "missing_value",
        None,
        "missing_value",
    ]
    lengths = [vector and vector[0] for vector in out["vector"].to_pylist()]
    assert lengths == [1, 6, 1, None, None, 6, None]
