"""Inputs for fuzzing: seeds that are kept beside this file, changed at random.

One number makes one input, so that a failure is said in one number and found again.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SEEDS: Final = Path(__file__).with_name("seeds")
MAX_BYTES: Final = 4096
# What parsers trip over: ends, quotes, numbers at the edge of a type, signs of other formats.
PIECES: Final = (
    *(b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80"),
    *(b"\r", b"\n", b"\r\n", b"\t", b",", b";", b"\\", b'"', b'""', b"'", b"#", b":", b"."),
    *(b"{", b"}", b"[", b"]", b"null", b"true", b"-0", b"1e999", b"NaN", b"-1", b"0"),
    *(b"9223372036854775808", b"18446744073709551616", b"2147483648", b"4294967296"),
    *(b"\\u0000", b"\\ud800", b"\\x", b"\\xg0", b"\\x00", b"(empty)", b"-"),
    *(b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PAR1", b"#fields\t", b"#separator ", b"#path\tdns\n"),
    *(b"xn--", b"://", b"www.", b"*.", b"@", b":65536", b"%00", b"\xe2\x80\xae", b"\xe3\x80\x82"),
    *(b"[MASK]", b"[PAD]", b"[HOSTNAME]", b"F32", b"I8", b"data_offsets", b"\xff" * 8),
)


def load_seeds(kind: str) -> dict[str, bytes]:
    """The seeds of a kind by file name."""
    return {path.name: path.read_bytes() for path in sorted((SEEDS / kind).iterdir())}


def change(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """``data`` with one to eight changes, at most ``MAX_BYTES`` long unless it was longer."""
    limit = max(len(data), MAX_BYTES)
    for _ in range(rng.randint(1, 8)):
        start = rng.randint(0, len(data))
        stop = min(len(data), start + (1 << rng.randint(0, 8)) - 1)
        match rng.randrange(6):
            case 0:  # flip a bit
                if start < len(data):
                    flipped = data[start] ^ (1 << rng.randrange(8))
                    data = data[:start] + bytes((flipped,)) + data[start + 1 :]
            case 1:  # take out
                data = data[:start] + data[stop:]
            case 2:  # put in what parsers trip over
                data = data[:start] + rng.choice(PIECES) + data[start:]
            case 3:  # overwrite with it
                piece = rng.choice(PIECES)
                data = data[:start] + piece + data[start + len(piece) :]
            case 4:  # say it again
                data = data[:stop] + data[start:stop] * rng.randint(1, 4) + data[stop:]
            case 5:  # go on like another seed
                other = rng.choice(others)
                data = data[:start] + other[rng.randint(0, len(other)) :]
    return data[:limit]


def make(seeds: dict[str, bytes], number: int) -> tuple[str, bytes]:
    """(name of a seed, an input made from it); one in sixteen is random bytes."""
    rng = random.Random(number)
    name = rng.choice(list(seeds))
    if rng.randrange(16) == 0:
        return name, rng.randbytes(rng.randint(0, 256))
    return name, change(seeds[name], list(seeds.values()), rng)


def numbers(start: int, count: int) -> Iterator[int]:
    """``count`` numbers from ``start``."""
    return iter(range(start, start + count))
