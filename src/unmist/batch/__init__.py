"""Batch jobs: files in, annotated parts out, to be stopped and gone on with at any time."""

from unmist.batch.annotate import Annotate
from unmist.batch.job import Outcome, Step, run_job
from unmist.batch.plan import Settings, find_inputs
from unmist.batch.summary import Summary
from unmist.batch.work import Annotator, StoppedError, annotate_here

__all__ = [
    "Annotate",
    "Annotator",
    "Outcome",
    "Settings",
    "Step",
    "StoppedError",
    "Summary",
    "annotate_here",
    "find_inputs",
    "run_job",
]
