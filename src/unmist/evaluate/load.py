"""Load on the service: latency, refusals, errors and memory, every answer checked.

    unmist evaluate load --rows names.txt -o load.json --markdown load.md
    unmist evaluate load --rows names.txt --peer MINILM --peer-python PYTHON -o peer.json

The first asks for verdicts of one name a request: closed loops of more and more clients, then open
loops at shares of the highest rate reached. The second asks for vectors, of unmist and of
sentence-transformers behind litserve in turn. Service and clients share this machine.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib import request as http

import msgspec
import numpy as np

from unmist.errors import InputError, UsageError
from unmist.evaluate import load_client
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.load_client import Request, Tally
from unmist.evaluate.machine import machine

TASK: Final = "host-category"
TOLERANCE: Final = 1e-4  # of a score; the engine's batches agree to 1e-5
PEER: Final = str(Path(__file__).with_name("load_peer.py"))
_START_SECONDS: Final = 180


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int | None) -> Iterator[Any]:
    """A service as a process of its own: (process, port). Raises UsageError when it does not start.

    Args:
        command: to run.
        environment: beside this process's own.
        port: where it will listen; None to read it from its log.
    """
    with tempfile.TemporaryFile("w+b") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _START_SECONDS
            while (found := _port_in(log) if port is None else _answers(port)) is None:
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise UsageError(f"{command[0]}: does not serve\n{log.read()[-800:].decode()}")
                time.sleep(0.1)
            yield process, found
        finally:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def _port_in(log: Any) -> int | None:
    log.seek(0)
    for line in log.read().splitlines():
        if line.startswith(b"{") and b'"serving"' in line:
            port: int = json.loads(line)["port"]
            return port
    return None


def _answers(port: int) -> int | None:
    try:
        with http.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return port if answer.status == load_client.OK else None
    except OSError:
        return None


def memory_mb(process: Any) -> float:
    """Resident memory of a process now."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def cpu_seconds(process: Any) -> float:
    """Processor time of a service so far, all processes of its session together."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(fields[3]) == process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def load_point(process: Any, loop: Coroutine[Any, Any, Tally]) -> dict[str, Any]:
    """Run one loop; its figures, and the service's processor time an answer."""
    before = cpu_seconds(process)
    tally = asyncio.run(loop)
    spent = cpu_seconds(process) - before
    per_answer = round(spent / len(tally.milliseconds) * 1000, 2) if tally.milliseconds else None
    return {**tally.summary(), "cpu_ms_per_answer": per_answer}


def verdict_requests(names: list[str], model: str, threads: int) -> list[Request]:
    """One request a name, each knowing the verdict that a model in this process gave."""
    import unmist

    expected = unmist.load(model or None, threads=threads, cache=0).classify(names, TASK)
    requests = []
    for name, verdict in zip(names, expected, strict=True):

        def right(body: bytes, name: str = name, verdict: Any = verdict) -> bool:
            found = msgspec.json.decode(body)["verdicts"][0]
            return bool(
                found["text"] == name
                and found["model_label"] == verdict.model_label
                and found["status"] == verdict.status
                and abs(found["model_score"] - verdict.model_score) < TOLERANCE
            )

        body = msgspec.json.encode({"rows": [{"text": name, "task": TASK}]})
        requests.append(Request("/v1/classify", body, right))
    return requests


def vector_requests(
    names: list[str], vectors: np.ndarray | None, path: str, extra: dict[str, str]
) -> list[Request]:
    """One request a name; ``vectors`` [n, dim] are what must come back, None to count numbers."""
    requests = []
    for i, name in enumerate(names):

        def right(body: bytes, i: int = i) -> bool:
            found = np.array(msgspec.json.decode(body)["data"][0]["embedding"], np.float32)
            if vectors is None:
                return len(found) > 0
            return found.shape == vectors[i].shape and bool(found @ vectors[i] > 1 - TOLERANCE)

        requests.append(Request(path, msgspec.json.encode({"input": name, **extra}), right))
    return requests


def service_command(model: str, threads: int, cache: int) -> list[str]:
    """``unmist serve`` on a free port."""
    command = [sys.executable, "-m", "unmist", "serve", "--port", "0"]
    command += ["--threads", str(threads), "--cache", str(cache)]
    return command + (["--model", model] if model else [])


def measure(names: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """The load test of the service alone."""
    requests = verdict_requests(names, args.model, args.threads)
    points = []

    def point(kind: str, process: Any, loop: Coroutine[Any, Any, Tally]) -> None:
        figures = load_point(process, loop)
        points.append({"load": kind, **figures, "memory_mb": memory_mb(process)})
        print(points[-1], file=sys.stderr, flush=True)

    command = service_command(args.model, args.threads, args.cache)
    with running(command, {}, None) as (process, port):
        asyncio.run(load_client.closed_loop(port, requests, 4, min(args.seconds, 5)))
        before = memory_mb(process)
        for round_ in range(args.rounds):
            for clients in args.clients:
                loop = load_client.closed_loop(port, requests, clients, args.seconds, round_)
                point(f"closed, {clients} clients", process, loop)
            capacity = max(p["answered_per_second"] for p in points)
            for share in args.shares:
                rate = capacity * share / 100
                loop = load_client.open_loop(port, requests, rate, args.seconds, round_)
                point(f"open, {share:g} % of capacity", process, loop)
    return {
        "capacity_per_second": capacity,
        "cache": args.cache,
        "memory_mb_after_warm_up": before,
        "points": points,
    }


def compare(names: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """Vectors of one text a request, of unmist and of the peer, in closed loops."""
    import unmist

    model = unmist.load(args.model or None, threads=args.threads, cache=0)
    name = model.info()["name"]
    ours = vector_requests(names, model.embed(names), "/v1/embeddings", {"model": name})
    theirs = vector_requests(names, None, "/predict", {})
    del model
    peer_command = [args.peer_python, PEER, str(args.peer), str(args.peer_port)]
    contenders = {
        "unmist": (service_command(args.model, args.threads, 0), None, ours),
        "peer": ([*peer_command, str(args.threads)], args.peer_port, theirs),
    }
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(args.threads)}
    found: dict[str, list[dict[str, Any]]] = {}
    for who, (command, port_, requests) in contenders.items():
        found[who] = []
        with running(command, quiet, port_) as (process, port):
            asyncio.run(load_client.closed_loop(port, requests, 4, min(args.seconds, 5)))
            for clients in args.clients:
                loop = load_client.closed_loop(port, requests, clients, args.seconds)
                found[who].append({"clients": clients, **load_point(process, loop)})
                print(who, found[who][-1], file=sys.stderr, flush=True)
    best = max(found["peer"], key=lambda point: point["answered_per_second"])
    level = [p for p in found["unmist"] if p["p99_ms"] and p["p99_ms"] <= best["p99_ms"]]
    rate = max((p["answered_per_second"] for p in level), default=0.0)
    return {
        "peer": f"sentence-transformers (openvino) behind litserve, {args.peer.name}",
        "points": found,
        "ratio_at_no_higher_p99": round(rate / best["answered_per_second"], 2),
        "ratio_of_processor_time": round(
            least(found["peer"], "cpu_ms_per_answer") / least(found["unmist"], "cpu_ms_per_answer"),
            2,
        ),
    }


def least(points: list[dict[str, Any]], key: str) -> float:
    """The smallest figure of that name."""
    return min(float(point[key]) for point in points if point[key] is not None)


COLUMNS: Final = (
    *("offered_per_second", "unsent"),
    *("answered_per_second", "p50_ms", "p99_ms", "p99_9_ms", "share_429", "p99_of_429_ms"),
    *("status_5xx", "status_other", "wrong", "broken", "cpu_ms_per_answer", "memory_mb"),
)


def markdown(result: dict[str, Any]) -> str:
    """The report as a table."""
    points = result["points"]
    if isinstance(points, dict):
        points = [
            {"load": f"{who}, {p['clients']} clients", **p}
            for who, ps in points.items()
            for p in ps
        ]
    columns = [column for column in COLUMNS if column in points[0]]
    facts = {key: value for key, value in result.items() if key != "points"}
    lines = [f"- {key.replace('_', ' ')}: {value}" for key, value in facts.items()]
    lines += ["", f"| load | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for point in points:
        cells = ["" if point[c] is None else str(point[c]) for c in columns]
        lines.append(f"| {point['load']} | {' | '.join(cells)} |")
    return "# Load\n\n" + "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True, help="names, one a line")
    parser.add_argument("--names", type=int, default=2000, help="how many of them to ask about")
    parser.add_argument("--model", default="", help="model folder (default: the shipped one)")
    parser.add_argument("--threads", type=int, default=1, help="threads of the network")
    parser.add_argument("--cache", type=int, default=0, help="answers that the service keeps")
    parser.add_argument("--seconds", type=float, default=60, help="of each point")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64, 256])
    parser.add_argument("--rounds", type=int, default=1, help="to see whether memory stays flat")
    parser.add_argument("--shares", type=float, nargs="*", default=[80, 300], help="%% of capacity")
    parser.add_argument("--peer", type=Path, help="sentence-transformers folder to compare with")
    parser.add_argument("--peer-python", default=sys.executable, help="has litserve")
    parser.add_argument("--peer-port", type=int, default=8931)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args(argv)
    if not args.rows.is_file():
        raise InputError("no such file of names, one a line", str(args.rows))
    names = [n for n in args.rows.read_text(encoding="utf-8").splitlines() if n.strip()]
    names = names[: args.names]
    result = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": args.threads,
        "seconds": args.seconds,
        "load_average": os.getloadavg()[0],
        **(compare(names, args) if args.peer else measure(names, args)),
    }
    text = json.dumps(result, indent=1) + "\n"
    if args.output is not None:
        write_text(args.output, text)
    if args.markdown is not None:
        write_text(args.markdown, markdown(result))
    print(text, end="")


if __name__ == "__main__":
    main()
