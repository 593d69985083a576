"""The generated pages say what the commands and the source say."""

import click
import make_reference
import pytest
from api_reference import MODULES, find
from cli_reference import verbs

from unmist.cli import main


def test_pages_are_up_to_date():
    assert not make_reference.stale(), "run python tools/make_reference.py"


@pytest.mark.parametrize(("title", "command"), list(verbs(main, "unmist")))
def test_every_option_says_what_it_does(title, command):
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, f"{title} {option.opts}"


@pytest.mark.parametrize("module", MODULES)
def test_what_is_listed_is_there(module):
    for name in MODULES[module][1]:
        find(module, name)
    with pytest.raises(LookupError, match="astrology"):
        find(module, "astrology")
