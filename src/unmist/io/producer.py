"""Who gave a verdict."""

import msgspec


class Producer(msgspec.Struct, frozen=True):
    """What an event says about its origin.

    Attributes:
        version: of unmist.
        model: the model's name.
        model_version: its version.
        model_hash: SHA-256 over every byte of it.
    """

    version: str
    model: str
    model_version: str
    model_hash: str
