"""The vector units of this CPU, which decide what is fast on it."""

import platform
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
_UNITS: Final = (  # flag in /proc/cpuinfo, what it is called here; the widest first
    ("amx_bf16", "amx"),
    ("avx512_bf16", "avx512_bf16"),
    ("avx512f", "avx512"),
    ("avx2", "avx2"),
)


def units(cpuinfo: Path = CPUINFO) -> str:
    """The widest vector units that an engine would use, as ``avx2`` or ``amx``; the machine's
    name where Linux does not tell."""
    try:
        text = cpuinfo.read_text()
    except OSError:
        return platform.machine()
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return next((name for flag, name in _UNITS if flag in flags), platform.machine())


def has_bf16() -> bool:
    """Whether this CPU multiplies in bfloat16. One that does not only emulates it: OpenVINO takes
    several times as long, torch a hundred times."""
    return units() in ("amx", "avx512_bf16")
