"""Kill a job at random moments, let it go on, and see that nothing tells.

    python attempts.py FOLDER POINTS SEED

Every attempt is a process of its own that is killed with SIGKILL, up to three times for one job;
then the job runs to its end and is compared with one that nobody disturbed. Prints how many kills
left how many finished parts; exits with 1 and says what differs if anything does.

A script, because only a process without threads can safely fork workers that start at once.
"""

import os
import random
import runpy
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from unmist.batch import Annotate, Settings, run_job

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "cli" / "fake_unmist.py"))
LASTING = ("part-*", "dead-*", "manifest.jsonl", "job.json", "summary.json")
PAUSE = 0.002


def slowly(call: Callable[..., object]) -> Callable[..., object]:
    """The call with a pause before and after, so that a kill falls there often."""

    def paused(*args: object, **options: object) -> object:
        time.sleep(PAUSE)
        result = call(*args, **options)
        time.sleep(PAUSE)
        return result

    return paused


def work(folder: Path, sources: list[str]) -> None:
    """The job, in a forked process that does not come back."""
    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, slowly(getattr(os, name)))
    model = FAKE["FakeModel"]()
    model.classify_rows = slowly(model.classify_rows)
    settings = Settings(tasks=("host-category",), embed=True, part_rows=40)
    annotate = Annotate(settings.tasks, "text", embed=True, model=model)
    run_job(folder, sources, settings, annotate)
    os._exit(0)


def attempt(folder: Path, sources: list[str], seconds: float | None) -> int:
    """Run the job, for so long at most; its exit status as of ``waitpid``."""
    child = os.fork()
    if child == 0:
        try:
            work(folder, sources)
        finally:
            os._exit(3)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def held(folder: Path) -> dict[str, bytes]:
    """Every file that lasts."""
    return {path.name: path.read_bytes() for glob in LASTING for path in folder.glob(glob)}


def inputs(folder: Path) -> list[str]:
    """Two inputs with bad rows among the good ones."""
    lines = folder / "a.txt"
    lines.write_text("".join(f"{'' if i % 9 == 4 else f'h{i}.example'}\n" for i in range(210)))
    table = folder / "b.jsonl"
    table.write_text("".join(f'{{"text": "j{i}.news", "n": {i}}}\n' for i in range(130)) + "{\n")
    return [str(lines), str(table)]


def main() -> None:
    """Do all attempts."""
    folder, points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    sources = inputs(folder)
    attempt(folder / "warm", sources, None)
    started = time.monotonic()
    if attempt(folder / "whole", sources, None) != 0:
        sys.exit("the undisturbed job failed")
    whole = time.monotonic() - started
    expected = held(folder / "whole")
    landed: Counter[int] = Counter()
    kills = 0
    for number in range(points):
        out = folder / f"killed-{number}"
        for _ in range(min(chance.randint(1, 3), points - kills) or 1):
            status = attempt(out, sources, chance.uniform(0, whole))
            if status == signal.SIGKILL:
                kills += 1
                manifest = out / "manifest.jsonl"
                landed[manifest.read_bytes().count(b"\n") if manifest.exists() else 0] += 1
        if attempt(out, sources, None) != 0:
            sys.exit(f"{out}: could not go on")
        found = held(out)
        if found != expected:
            odd = sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))
            sys.exit(f"{out}: differs in {odd}")
        if list(out.glob(".*.tmp")):
            sys.exit(f"{out}: temporary files are left")
        if kills >= points:
            break
    print(f"{kills} kills in {whole:.2f} s jobs, with parts finished: {sorted(landed.items())}")


if __name__ == "__main__":
    main()
