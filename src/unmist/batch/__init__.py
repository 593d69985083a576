"""Batch jobs: files in, annotated parts out, to be stopped and gone on with at any time."""

from unmist.batch.annotate import Annotate
from unmist.batch.job import Outcome, Step, StoppedError, run_job
from unmist.batch.plan import Settings, find_inputs
from unmist.batch.summary import Summary

__all__ = [
    "Annotate",
    "Outcome",
    "Settings",
    "Step",
    "StoppedError",
    "Summary",
    "find_inputs",
    "run_job",
]
