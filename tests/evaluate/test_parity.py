"""The comparison with torch finds what the engine promises."""

import pytest

from unmist.evaluate.parity import compare
from unmist.model import Model


def test_float32_is_the_same_and_bfloat16_is_near(tiny_model: Model) -> None:
    result = compare(tiny_model, ["casino-lake.com", "school.edu", "a.b.c.example.org"] * 3)
    assert result["torch float32"]["cosine_min"] >= 0.9999
    assert result["torch float32"]["difference_max"] < 1e-5
    assert result["torch bfloat16"]["cosine_min"] == pytest.approx(1, abs=0.05)
    assert result["torch bfloat16"]["difference_max"] > result["torch float32"]["difference_max"]
