"""A job on a local Ray cluster of two workers, one of which is killed in the middle of it.

    python ray_job.py FOLDER

Prints what happened as one JSON object. A script, because Ray starts threads and processes and
does not like to share a process with other tests.
"""

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from unmist.batch import Annotate, Settings, Step, run_job
from unmist.batch.cluster import RayAnnotator, import_ray

# The machine may be busy with something else.
os.environ["RAY_raylet_start_wait_time_s"] = "200"  # noqa: SIM112

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "cli" / "fake_unmist.py"))
MODEL = FAKE["FakeModel"]


class FakeAnnotate(Annotate):
    """Opens the model without a network, on a worker as well as here."""

    pause = 0.0

    def answers(self, texts: Any) -> Any:
        """As ever, but not at once, so that a worker is killed in the middle of a part."""
        time.sleep(self.pause)
        return super().answers(texts)

    @property
    def model(self) -> Any:
        if self._model is None:
            self._model = MODEL()
        return self._model


def main() -> None:
    """Run the job undisturbed here, then on the cluster."""
    folder = Path(sys.argv[1])
    source = folder / "a.txt"
    source.write_text("".join(f"{'' if i % 9 == 4 else f'h{i}.news'}\n" for i in range(1000)))
    sources = [str(source), str(folder / "missing"), str(source.with_name("b.txt"))]
    Path(sources[2]).write_text("b.example\n")
    settings = Settings(tasks=("host-category",), part_rows=30, embed=True)
    annotate = FakeAnnotate(settings.tasks, "text", embed=True)
    run_job(folder / "here", sources, settings, annotate)

    import_ray()
    small = {"object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    nodes = [cluster.add_node(num_cpus=1, **small) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    lost: list[str] = []
    killed: list[int] = []

    def advance(step: Step) -> None:
        if step.part >= 5 and not killed:
            killed.append(step.part)
            cluster.remove_node(nodes[0], allow_graceful=False)

    annotate.pause = 0.3
    annotator = RayAnnotator(2, report=lost.append)
    try:
        outcome = run_job(
            folder / "ray", sources, settings, annotate, annotator=annotator, advance=advance
        )
    finally:
        ray.shutdown()
        cluster.shutdown()
    summary = outcome.summary
    balance = (summary.rows_in, summary.rows_out, summary.dead, summary.parts, summary.unreadable)
    print(json.dumps({"killed": killed, "lost": lost, "balance": balance}))


if __name__ == "__main__":
    main()
