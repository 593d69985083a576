"""Search over what was read: index rows by their vectors, find the nearest, group the equal."""

from unmist.search.build import Builder
from unmist.search.dedupe import Gathering, Group, Text, group
from unmist.search.distinct import Distinct, MixedModelsError
from unmist.search.filters import Filter
from unmist.search.index import Hit, Index, Likeness
from unmist.search.rows import Reading, Rows
from unmist.search.times import parse_time

__all__ = [
    "Builder",
    "Distinct",
    "Filter",
    "Gathering",
    "Group",
    "Hit",
    "Index",
    "Likeness",
    "MixedModelsError",
    "Reading",
    "Rows",
    "Text",
    "group",
    "parse_time",
]
