"""One vector library on one set of vectors, in a process of its own; see ``evaluate.search``.

python -m unmist.evaluate.search_worker build "usearch hnsw f16" FOLDER
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

K = 10
LINKS = 16  # HNSW: M, connectivity
EFFORT = 128  # HNSW: ef_construction, expansion_add
REACH = 128  # HNSW: ef, expansion_search
LISTS = 2048  # IVF
PROBES = 256
_BLOCK = 1 << 16
_SECONDS = 15  # a slow contender is asked no further questions after that
_LEAST = 100  # but so many

Find = Callable[[np.ndarray], np.ndarray]
"""A query float32 [dim] to the numbers int64 [K] of its nearest vectors, nearest first."""


def vectors(folder: Path) -> np.ndarray:
    """The vectors float16 [n, dim], mapped."""
    mapped: np.ndarray = np.load(folder / "vectors.npy", mmap_mode="r")
    return mapped


def top(scores: np.ndarray, k: int = K) -> np.ndarray:
    """Places of the k highest, highest first."""
    best = np.argpartition(-scores, k)[:k]
    places: np.ndarray = best[np.argsort(-scores[best], kind="stable")]
    return places


def ranked(held: np.ndarray, near: np.ndarray, query: np.ndarray) -> np.ndarray:
    """The K best of some candidates, by the float16 vectors."""
    places: np.ndarray = near[top(held[near].astype(np.float32) @ query)]
    return places


class NumpyExact:
    """One matrix product over float32 in memory."""

    name = "numpy exact f32"

    def build(self, folder: Path) -> list[Path]:
        return []

    def open(self, folder: Path) -> Find:
        held = vectors(folder).astype(np.float32)
        return lambda query: top(held @ query)


class UsearchExact:
    """usearch's scan over mapped float16."""

    name = "usearch exact f16"

    def build(self, folder: Path) -> list[Path]:
        return []

    def open(self, folder: Path) -> Find:
        from usearch.index import MetricKind, search

        held = np.ascontiguousarray(vectors(folder))

        def find(query: np.ndarray) -> np.ndarray:
            found = search(held, query.astype(np.float16), K, MetricKind.IP, exact=True, threads=1)
            return np.asarray(found.keys, np.int64)

        return find


class UsearchExactBytes:
    """usearch's scan over int8, ranked again by the float16 vectors."""

    name = "usearch exact i8"

    def build(self, folder: Path) -> list[Path]:
        held = vectors(folder)
        path = folder / f"{self.name}.npy"
        out = np.lib.format.open_memmap(path, "w+", np.int8, held.shape)
        scale = float(max(abs(held[i : i + _BLOCK]).max() for i in range(0, len(held), _BLOCK)))
        for start in range(0, len(held), _BLOCK):
            block = np.asarray(held[start : start + _BLOCK], np.float32)
            out[start : start + _BLOCK] = np.rint(block * (127 / scale)).clip(-127, 127)
        out.flush()
        return [path]

    def open(self, folder: Path) -> Find:
        from usearch.index import MetricKind, search

        held, small = vectors(folder), np.ascontiguousarray(np.load(folder / f"{self.name}.npy"))

        def find(query: np.ndarray) -> np.ndarray:
            asked = np.rint(query * (127 / abs(query).max())).astype(np.int8)
            found = search(small, asked, 5 * K, MetricKind.Cos, exact=True, threads=1)
            near = np.asarray(found.keys, np.int64)
            return ranked(held, near, query)

        return find


class NumpyPca:
    """A scan over the 64 directions of most variance, the best thousand ranked again."""

    name = "numpy pca 64"
    _WIDTH, _REFINED = 64, 1000

    def build(self, folder: Path) -> list[Path]:
        held = vectors(folder)
        sample = np.asarray(held[:: max(len(held) // 100_000, 1)], np.float32)
        # Of the second moment, not the covariance: what is kept is the product with a query.
        axes = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, : self._WIDTH].copy()
        paths = [folder / f"{self.name}.npy", folder / f"{self.name}.axes.npy"]
        out = np.lib.format.open_memmap(paths[0], "w+", np.float32, (len(held), self._WIDTH))
        for start in range(0, len(held), _BLOCK):
            out[start : start + _BLOCK] = (
                np.asarray(held[start : start + _BLOCK], np.float32) @ axes
            )
        out.flush()
        np.save(paths[1], axes)
        return paths

    def open(self, folder: Path) -> Find:
        held, axes = vectors(folder), np.load(folder / f"{self.name}.axes.npy")
        small = np.load(folder / f"{self.name}.npy")

        def find(query: np.ndarray) -> np.ndarray:
            scores = small @ (query @ axes)
            near = np.argpartition(scores, len(scores) - self._REFINED)[-self._REFINED :]
            return ranked(held, near, query)

        return find


class Usearch:
    """HNSW over float16 or int8, mapped; int8 is ranked again by the float16 vectors."""

    def __init__(self, kind: str) -> None:
        self.name, self._kind = f"usearch hnsw {kind}", kind

    def _index(self, width: int) -> Any:
        from usearch.index import Index

        return Index(
            ndim=width,
            metric="cos" if self._kind == "i8" else "ip",
            dtype=self._kind,
            connectivity=LINKS,
            expansion_add=EFFORT,
            expansion_search=REACH,
        )

    def build(self, folder: Path) -> list[Path]:
        held = vectors(folder)
        index = self._index(held.shape[1])
        for start in range(0, len(held), _BLOCK):
            block = np.asarray(held[start : start + _BLOCK], np.float32)
            index.add(np.arange(start, start + len(block)), block)
        path = folder / f"{self.name}.usearch"
        index.save(path)
        return [path]

    def open(self, folder: Path) -> Find:
        held = vectors(folder)
        index = self._index(held.shape[1])
        index.view(folder / f"{self.name}.usearch")
        if self._kind != "i8":
            return lambda query: np.asarray(index.search(query, K, threads=1).keys, np.int64)

        def find(query: np.ndarray) -> np.ndarray:
            near = np.asarray(index.search(query, 5 * K, threads=1).keys, np.int64)
            return ranked(held, near, query)

        return find


class Hnswlib:
    """HNSW over float32, in memory."""

    name = "hnswlib f32"

    def build(self, folder: Path) -> list[Path]:
        import hnswlib

        held = vectors(folder)
        index = hnswlib.Index("ip", held.shape[1])
        index.init_index(len(held), ef_construction=EFFORT, M=LINKS)
        for start in range(0, len(held), _BLOCK):
            block = np.asarray(held[start : start + _BLOCK], np.float32)
            index.add_items(block, np.arange(start, start + len(block)))
        path = folder / f"{self.name}.bin"
        index.save_index(str(path))
        return [path]

    def open(self, folder: Path) -> Find:
        import hnswlib

        index = hnswlib.Index("ip", vectors(folder).shape[1])
        index.load_index(str(folder / f"{self.name}.bin"))
        index.set_ef(REACH)
        index.set_num_threads(1)
        return lambda query: index.knn_query(query, K)[0][0].astype(np.int64)


class FaissIvf:
    """Inverted lists over 8-bit scalars, ranked again by the float16 vectors."""

    name = "faiss ivf sq8"

    def build(self, folder: Path) -> list[Path]:
        import faiss

        held = vectors(folder)
        lists = min(LISTS, max(len(held) // 40, 1))
        index = faiss.index_factory(held.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).choice(len(held), min(len(held), 40 * lists), False)
        index.train(held[np.sort(sample)].astype(np.float32))
        for start in range(0, len(held), _BLOCK):
            index.add(np.asarray(held[start : start + _BLOCK], np.float32))
        path = folder / f"{self.name}.faiss"
        faiss.write_index(index, str(path))
        return [path]

    def open(self, folder: Path) -> Find:
        import faiss

        faiss.omp_set_num_threads(1)
        index: Any = faiss.read_index(str(folder / f"{self.name}.faiss"))
        held = vectors(folder)
        index.nprobe = PROBES

        def find(query: np.ndarray) -> np.ndarray:
            near = index.search(query[None], 5 * K)[1][0]
            near = near[near >= 0]
            return ranked(held, near, query)

        return find


class LanceDb:
    """A table with an index of inverted lists and product quantisation, refined."""

    name = "lancedb ivf_pq"

    def build(self, folder: Path) -> list[Path]:
        import lancedb
        import pyarrow as pa

        held = vectors(folder)
        kind = pa.list_(pa.float16(), held.shape[1])
        schema = pa.schema([("id", pa.int64()), ("vector", kind)])

        def batches() -> Any:
            for start in range(0, len(held), _BLOCK):
                block = np.asarray(held[start : start + _BLOCK])
                flat = pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), held.shape[1])
                ids = pa.array(np.arange(start, start + len(block)))
                yield pa.record_batch([ids, flat], schema=schema)

        path = folder / f"{self.name}.lance"
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        table = lancedb.connect(str(path)).create_table("t", reader, mode="overwrite")
        lists = max(len(held) // 1000, 1)
        table.create_index(
            metric="dot", num_partitions=lists, num_sub_vectors=80, index_type="IVF_PQ"
        )
        return [path]

    def open(self, folder: Path) -> Find:
        import lancedb

        table = lancedb.connect(str(folder / f"{self.name}.lance")).open_table("t")

        def find(query: np.ndarray) -> np.ndarray:
            asked = table.search(query).metric("dot").nprobes(PROBES).refine_factor(5)
            found = asked.select(["id"]).limit(K).to_arrow()
            return np.asarray(found.column("id").to_numpy(), np.int64)

        return find


class Unmist:
    """The whole of ``unmist.search``: made-up names with these vectors, and an answer's rows."""

    name = "unmist"

    def build(self, folder: Path) -> list[Path]:
        import pyarrow as pa

        from unmist.search import Builder, Rows
        from unmist.search.rows import OWN

        held, path = vectors(folder), folder / self.name
        rows_a_time = 4096
        with Builder(path, _no_model, field="hostname") as builder:
            for start in range(0, len(held), rows_a_time):
                block = np.asarray(held[start : start + rows_a_time])
                texts = [f"n{i}.example" for i in range(start, start + len(block))]
                columns = {
                    "text": texts,
                    "source": ["made"] * len(block),
                    "line": list(range(start, start + len(block))),
                    "time": [None] * len(block),
                }
                table = pa.table(columns, schema=pa.schema(list(OWN.items())))
                builder.add(Rows(table, texts, block, "benchmark", [], 0), "made")
        return [path]

    def open(self, folder: Path) -> Find:
        from unmist.search import Index

        index = Index(folder / self.name)

        def find(query: np.ndarray) -> np.ndarray:
            hits = index.nearest(query, K)
            index.records([int(hit.rows[0]) for hit in hits])
            return np.array([hit.vector for hit in hits], np.int64)

        return find


def _no_model() -> Any:
    raise AssertionError("the rows come with vectors")


CONTENDERS: dict[str, Any] = {
    contender.name: contender
    for contender in (
        NumpyExact(),
        UsearchExact(),
        UsearchExactBytes(),
        NumpyPca(),
        Usearch("f16"),
        Usearch("i8"),
        Hnswlib(),
        FaissIvf(),
        LanceDb(),
        Unmist(),
    )
}


def build(name: str, folder: Path) -> dict[str, float]:
    """Seconds by the clock and of the processor, and the size on disk beside the vectors."""
    began, worked = time.perf_counter(), time.process_time()
    paths = CONTENDERS[name].build(folder)
    return {
        "build_seconds": time.perf_counter() - began,
        "build_cpu_seconds": time.process_time() - worked,
        "build_peak_mb": _peak(),
        "index_mb": sum(_bytes(path) for path in paths) / 1e6,
    }


def query(name: str, folder: Path) -> dict[str, float]:
    """Recall@10 of the queries, milliseconds of each by the processor and the clock, and memory."""
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    before = _resident()
    find = CONTENDERS[name].open(folder)
    for one in queries[:20]:
        find(one)
    taken, hits, started, worked = list[float](), 0, time.perf_counter(), time.process_time()
    for one, near in zip(queries, truth.tolist(), strict=True):
        began = time.perf_counter()
        found = find(one)
        taken.append(1000 * (time.perf_counter() - began))
        hits += len(set(found.tolist()) & set(near))
        if len(taken) >= _LEAST and time.perf_counter() - started > _SECONDS:
            break
    return {
        "recall_at_10": hits / (K * len(taken)),
        "cpu_ms": 1000 * (time.process_time() - worked) / len(taken),
        "p50_ms": float(np.percentile(taken, 50)),
        "p99_ms": float(np.percentile(taken, 99)),
        "queries": len(taken),
        "resident_mb": _resident() - before,
        "load": os.getloadavg()[0],
    }


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _peak() -> float:
    # Not getrusage, whose maximum a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split()[0]) / 1e3


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Arguments: build or query, contender, folder."""
    step, name, folder = sys.argv[1:4]
    print(json.dumps((build if step == "build" else query)(name, Path(folder))))


if __name__ == "__main__":
    main()
