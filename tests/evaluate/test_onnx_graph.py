"""The graph that ONNX Runtime is measured with gives what the engine gives."""

import numpy as np
import pytest

from unmist.artifact import open_folder
from unmist.engine import Engine

onnxruntime = pytest.importorskip("onnxruntime", reason="needs unmist[bench]")
pytest.importorskip("onnx", reason="needs unmist[bench]")


def test_vectors_and_logits_are_the_engines(tiny_model_folder):
    from unmist.evaluate import onnx_graph

    folder = open_folder(tiny_model_folder)
    data = onnx_graph.build(folder, "host-category").SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    rows = [[8, 40, 41, 42], [8, 100], [8, *range(30, 90)]]
    expected = Engine(folder, threads=1).run(rows, "host-category")
    ids = np.zeros((3, 61), np.int32)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    vectors, logits = session.run(["vectors", "logits"], {"ids": ids})
    assert np.allclose(logits, expected.logits, atol=1e-4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
