"""The help page knows without an import what the readers know."""

from unmist.cli import tail
from unmist.cli.inputs import FORMATS


def test_formats_are_those_of_the_readers():
    from unmist import io

    assert tuple(io.FORMATS) == FORMATS
    assert tuple(io.LIVE_FORMATS) == tail.FORMATS


def test_every_verb_has_help(unmist):
    from unmist.cli import _VERBS

    for verb in _VERBS:
        assert verb in unmist("--help").stdout
        assert unmist(verb, "--help").exit_code == 0
