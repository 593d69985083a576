"""Measuring specialists on labelled files; no torch needed."""

from unmist.labelled.task import evaluate_task

__all__ = ["evaluate_task"]
