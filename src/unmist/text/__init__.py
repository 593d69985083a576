"""Field kinds, normalisation and the tokenizer: from raw text to token ids."""

from unmist.text.fields import FIELDS
from unmist.text.normalize import cut, normalize
from unmist.text.special_use import is_special_use, reads_name
from unmist.text.syntax import NEVER_RUN, is_run, kind_by_syntax
from unmist.text.tokenizer import Tokenizer, both_ends

__all__ = [
    "FIELDS",
    "NEVER_RUN",
    "Tokenizer",
    "both_ends",
    "cut",
    "is_run",
    "is_special_use",
    "kind_by_syntax",
    "normalize",
    "reads_name",
]
