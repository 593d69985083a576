"""One contender of the speed benchmark, in a process of its own; prints one JSON object.

Run by path, under the contender's own Python: it imports nothing of unmist at the top.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Encode = Callable[[Sequence[str]], Any]
WARM_UP_ROWS = 2048


def unmist_embed(folder: str, threads: int) -> Encode:
    """Vectors by unmist."""
    import unmist

    model = unmist.load(folder or None, threads=threads, cache=0)
    return lambda texts: model.embed(texts)


def unmist_classify(folder: str, threads: int) -> Encode:
    """Verdicts of host-category by unmist."""
    import unmist

    model = unmist.load(folder or None, threads=threads, cache=0)
    return lambda texts: model.classify(texts, task="host-category")


def sentence_transformers_openvino(folder: str, threads: int) -> Encode:
    """Vectors by sentence-transformers with its OpenVINO backend, at its best batch size here."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        folder,
        backend="openvino",
        model_kwargs={"ov_config": {"INFERENCE_NUM_THREADS": threads}},
        local_files_only=True,
    )
    return lambda texts: model.encode(list(texts), batch_size=64, show_progress_bar=False)


CONTENDERS = {
    "unmist embed": unmist_embed,
    "unmist classify": unmist_classify,
    "sentence-transformers openvino": sentence_transformers_openvino,
}


def main() -> None:
    """Arguments: contender, model folder or '', file of texts, threads."""
    contender, folder, path, threads = sys.argv[1:5]
    with open(path, encoding="utf-8") as file:
        texts = file.read().splitlines()
    began = time.perf_counter()
    encode = CONTENDERS[contender](folder, int(threads))
    encode(texts[:1])
    ready = time.perf_counter() - began
    encode(texts[:WARM_UP_ROWS])
    began = time.perf_counter()
    encode(texts)
    seconds = time.perf_counter() - began
    result = {
        "rows_per_second": len(texts) / seconds,
        "first_answer_seconds": ready,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
