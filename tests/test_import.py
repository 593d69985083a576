"""``import unmist`` costs next to nothing."""

import resource
import subprocess
import sys

import pytest

HEAVY = ("numpy", "openvino", "peft", "pyarrow", "tokenizers", "torch", "transformers")


def test_import_loads_no_heavy_library() -> None:
    code = f"import sys, unmist; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (0, "\n")


def test_the_model_runs_without_the_training_libraries() -> None:
    code = f"import sys, unmist; unmist.load; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert {"numpy", "openvino"} <= set(done.stdout.split())
    assert not {"peft", "torch", "transformers"} & set(done.stdout.split())


def test_import_is_quick() -> None:
    """At most 150 ms of processor time, which a busy machine does not stretch like a clock."""

    def spent(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare = min(spent("pass") for _ in range(5))
    assert min(spent("import unmist") for _ in range(5)) - bare < 0.15


def test_names() -> None:
    import unmist

    for name in unmist.__all__:
        assert getattr(unmist, name).__name__ == name
    with pytest.raises(AttributeError, match="astrology"):
        _ = unmist.astrology
