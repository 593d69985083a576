"""The engine computes in what the CPU is fast at, unless somebody says otherwise."""

import pytest

from unmist.engine import runtime
from unmist.engine import units as of_cpu
from unmist.errors import UsageError


@pytest.mark.parametrize(
    ("units", "chosen"),
    [("amx", "bf16"), ("avx512_bf16", "bf16"), ("avx512", "f32"), ("avx2", "f32"), ("arm", "f32")],
)
def test_by_the_units_of_the_cpu(monkeypatch: pytest.MonkeyPatch, units: str, chosen: str) -> None:
    monkeypatch.delenv("UNMIST_PRECISION")
    monkeypatch.setattr(of_cpu, "units", lambda: units)
    assert runtime.precision() == chosen
    assert runtime.precision("f32") == "f32"
    monkeypatch.setenv("UNMIST_PRECISION", "bf16")
    assert runtime.precision() == "bf16"
    assert runtime.precision("f32") == "f32"


@pytest.mark.parametrize("wanted", ["int8", ""])
def test_no_such_precision(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    with pytest.raises(UsageError, match="one of: auto, f32, bf16"):
        runtime.precision(wanted)
    monkeypatch.setenv("UNMIST_PRECISION", wanted)
    with pytest.raises(UsageError, match="one of: auto, f32, bf16"):
        runtime.precision()
