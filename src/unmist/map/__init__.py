"""The map: texts as points in the plane, near each other where the vectors are."""

from unmist.map.build import Settings, build
from unmist.map.page import write_page
from unmist.map.points import MapPoints, TaskColumn
from unmist.map.table import OldMap, read_map, write_map

__all__ = [
    "MapPoints",
    "OldMap",
    "Settings",
    "TaskColumn",
    "build",
    "read_map",
    "write_map",
    "write_page",
]
