"""What is said about the CPU."""

from pathlib import Path

import pytest

from unmist.engine.units import has_bf16, units


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx avx2 fma", "avx2"),
        ("fpu avx2 avx512f avx512_vnni", "avx512"),
        ("fpu avx2 avx512f avx512_bf16", "avx512_bf16"),
        ("fpu avx2 avx512f avx512_bf16 amx_bf16 amx_int8", "amx"),
        ("fpu sse2 avx20", "x99"),
    ],
)
def test_the_widest_units_are_named(flags, expected, monkeypatch):
    text = f"processor\t: 0\nflags\t\t: {flags}\nbugs\t: avx2\n"
    monkeypatch.setattr(Path, "read_text", lambda path: text)
    monkeypatch.setattr("platform.machine", lambda: "x99")
    assert units() == expected


def test_where_nothing_is_told_the_machine_is_named(monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert units() == "arm64"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("amx", True), ("avx512_bf16", True), ("avx512", False), ("avx2", False), ("arm64", False)],
)
def test_which_multiply_in_bfloat16(name, expected, monkeypatch):
    monkeypatch.setattr("unmist.engine.units.units", lambda: name)
    assert has_bf16() is expected
