"""Fuzz readers, normaliser, tokenizer and model loader.

python tests/fuzz/run.py --inputs 1000000
python tests/fuzz/run.py --target readers --number 123   # one input again
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inputs
import targets


def fuzz(inputs_wanted: int, start: int, folder: Path) -> dict[str, dict[str, float]]:
    """Run all targets; what was run, and the numbers of the first failures."""
    report = {}
    for name, target in targets.all_targets(folder).items():
        share, kind = targets.KINDS[name]
        seeds = inputs.load_seeds(kind)
        began, failed, count = time.monotonic(), [], round(inputs_wanted * share)
        for number in inputs.numbers(start, count):
            try:
                target(*inputs.make(seeds, number))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failed.append(number)
                if len(failed) <= 5:
                    said = f"{name} {number}: {type(error).__name__}: {str(error)[:200]}"
                    print(said, file=sys.stderr, flush=True)
            if number % 50_000 == 49_999:
                print(name, number + 1 - start, file=sys.stderr, flush=True)
        seconds = round(time.monotonic() - began, 1)
        report[name] = {"inputs": count, "failed": len(failed), "seconds": seconds}
        print(name, report[name], file=sys.stderr, flush=True)
    return report


def main() -> int:
    """Command line: 0 when nothing failed, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--target", choices=targets.KINDS)
    parser.add_argument("--number", type=int, help="run this input alone, with its traceback")
    args = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        if args.number is not None:
            seeds = inputs.load_seeds(targets.KINDS[args.target][1])
            name, data = inputs.make(seeds, args.number)
            print(name, data)
            targets.all_targets(Path(folder))[args.target](name, data)
            return 0
        report = fuzz(args.inputs, args.start, Path(folder))
    total = {key: sum(one[key] for one in report.values()) for key in ("inputs", "failed")}
    print(json.dumps({"targets": report, **total}))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
