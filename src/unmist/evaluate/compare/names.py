"""What contenders and ways to use them are called, in results and on pages."""

from typing import Final

OURS: Final = "unmist"
NGRAMS: Final = "n-grams"
FASTTEXT: Final = "fastText"
CNN: Final = "character CNN"
LINEAR: Final = "linear"
PROBE: Final = "probe"
WHOLE: Final = "whole"
LORA: Final = "LoRA"
SHIPPED: Final = "shipped"
