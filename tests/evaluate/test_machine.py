"""The name of the CPU says which vector units its figures had."""

from pathlib import Path

import pytest

from unmist.evaluate.machine import machine

CPU = "processor\t: {n}\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu sse {flags}\n\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("avx avx2", "2 x Some CPU @ 2 GHz (avx2)"),
        ("avx2 avx512f avx512_bf16", "2 x Some CPU @ 2 GHz (avx512_bf16)"),
        ("avx2 avx512f avx512_bf16 amx_bf16", "2 x Some CPU @ 2 GHz (amx)"),
        ("avx2 avx512f", "2 x Some CPU @ 2 GHz (avx512)"),
    ],
)
def test_names_the_widest_unit(flags: str, said: str, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("".join(CPU.format(n=n, flags=flags) for n in range(2)))
    assert machine(cpuinfo) == said


def test_without_a_list_of_cpus(tmp_path: Path) -> None:
    assert machine(tmp_path / "none")
