"""Which CPU a figure was measured on."""

import platform
from pathlib import Path

from unmist.engine.units import CPUINFO, units


def machine(cpuinfo: Path = CPUINFO) -> str:
    """How many CPUs there are, their name and their widest vector units."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0] if names else 'unnamed CPU'} ({units(cpuinfo)})"
