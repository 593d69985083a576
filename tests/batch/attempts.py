"""Kill a job at random moments, let it go on, and see that nothing tells.

    python attempts.py FOLDER DEATHS KILLS SEED

Every attempt is a process of its own, up to three for one job. ``DEATHS`` of them end themselves
without any clean-up before or after a random call that touches the disk or asks the model;
``KILLS`` are killed with SIGKILL after a random time. Then the job runs to its end and is compared
with one that nobody disturbed. Prints how many attempts left how many finished parts; exits with 1
and says what differs if anything does.

A script, because only a process without threads can safely fork workers that start at once.
"""

import os
import random
import runpy
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from unmist.batch import Annotate, Settings, run_job

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "cli" / "fake_unmist.py"))
LASTING = ("part-*", "dead-*", "manifest.jsonl", "job.json", "summary.json")
PAUSE = 0.002
DEAD, FAILED = 9, 3


Around = Callable[[Callable[..., object]], Callable[..., object]]


def slowly(call: Callable[..., object]) -> Callable[..., object]:
    """The call with a pause before and after, so that a kill falls there often."""

    def paused(*args: object, **options: object) -> object:
        time.sleep(PAUSE)
        result = call(*args, **options)
        time.sleep(PAUSE)
        return result

    return paused


def mortally(moments: Iterator[int], at: int) -> Around:
    """The call with a moment before and one after; the process ends at moment ``at``."""

    def moment() -> None:
        if next(moments) == at:
            os._exit(DEAD)

    def around(call: Callable[..., object]) -> Callable[..., object]:
        def dying(*args: object, **options: object) -> object:
            moment()
            result = call(*args, **options)
            moment()
            return result

        return dying

    return around


def work(folder: Path, sources: list[str], around: Around) -> None:
    """The job, in a forked process that does not come back."""
    for name in ("fsync", "replace", "unlink", "open"):
        setattr(os, name, around(getattr(os, name)))
    model = FAKE["FakeModel"]()
    model.ask_rows = around(model.ask_rows)
    settings = Settings(tasks=("host-category",), embed=True, part_rows=40)
    annotate = Annotate(settings.tasks, "text", embed=True, model=model)
    run_job(folder, sources, settings, annotate)
    os._exit(0)


def attempt(
    folder: Path, sources: list[str], around: Around = lambda call: call, seconds: float = 0
) -> bool:
    """Run the job, for so many seconds at most unless 0; whether it was ended before its end."""
    child = os.fork()
    if child == 0:
        try:
            work(folder, sources, around)
        finally:
            os._exit(FAILED)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, DEAD, -signal.SIGKILL):
        sys.exit(f"{folder}: the job failed")
    return code != 0


def count_moments(folder: Path, sources: list[str]) -> int:
    """How many moments an undisturbed job has."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        moments = count()
        leave = os._exit

        def tell(code: int) -> None:
            os.write(writing, str(next(moments)).encode())
            leave(code)

        os._exit = tell  # type: ignore[assignment]
        work(folder, sources, mortally(moments, -1))
    os.wait()
    return int(os.read(reading, 20))


def held(folder: Path) -> dict[str, bytes]:
    """Every file that lasts."""
    return {path.name: path.read_bytes() for glob in LASTING for path in folder.glob(glob)}


def inputs(folder: Path) -> list[str]:
    """Two inputs with bad rows among the good ones."""
    lines = folder / "a.txt"
    lines.write_text("".join(f"{'' if i % 9 == 4 else f'h{i}.example'}\n" for i in range(110)))
    table = folder / "b.jsonl"
    table.write_text("".join(f'{{"text": "j{i}.news", "n": {i}}}\n' for i in range(70)) + "{\n")
    return [str(lines), str(table)]


def main() -> None:
    """Do all attempts."""
    folder = Path(sys.argv[1])
    deaths, kills, seed = (int(argument) for argument in sys.argv[2:])
    chance = random.Random(seed)
    sources = inputs(folder)
    moments = count_moments(folder / "warm", sources)
    started = time.monotonic()
    attempt(folder / "slow", sources, slowly)
    whole = time.monotonic() - started
    attempt(folder / "whole", sources)
    expected = held(folder / "whole")
    landed: Counter[int] = Counter()
    ended = {"died": 0, "killed": 0}
    number = 0
    while ended["died"] < deaths or ended["killed"] < kills:
        out = folder / f"ended-{number}"
        number += 1
        for _ in range(chance.randint(1, 3)):
            if ended["died"] < deaths:
                kind, around = "died", mortally(count(), chance.randrange(moments))
                early = attempt(out, sources, around)
            else:
                kind = "killed"
                early = attempt(out, sources, slowly, chance.uniform(0.001, whole))
            if early:
                ended[kind] += 1
                manifest = out / "manifest.jsonl"
                landed[manifest.read_bytes().count(b"\n") if manifest.exists() else 0] += 1
        attempt(out, sources)
        found = held(out)
        if found != expected:
            odd = sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))
            sys.exit(f"{out}: differs in {odd}")
        if list(out.glob(".*.tmp")):
            sys.exit(f"{out}: temporary files are left")
    print(f"{ended}, {moments} moments, with parts finished: {sorted(landed.items())}")


if __name__ == "__main__":
    main()
