import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from unmist.errors import InputError
from unmist.io import compression, open_rows

LINES = [f"host{number * 7919 % 10007}.example.com" for number in range(4000)]
PLAIN = "".join(f"{line}\n" for line in LINES).encode()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESSORS = [gzip.compress, zstd]
Table = Callable[..., list[tuple[int, str, str | None]]]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_compressed_input_reads_like_plain(
    compress: Callable[[bytes], bytes], table: Table
) -> None:
    assert table(compress(PLAIN)) == table(PLAIN)
    assert [text for _, text, _ in table(PLAIN)] == LINES


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_frames_are_concatenated(compress: Callable[[bytes], bytes], table: Table) -> None:
    data = compress(b"one\ntw") + compress(b"") + compress(b"o\nthree")
    assert table(data) == [(1, "one", None), (2, "two", None), (3, "three", None)]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_the_extension_does_not_count(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    for name, data in (("a.txt", compress(b"x\n")), ("b.gz", b"x\n"), ("c.zst", compress(b"x\n"))):
        path = tmp_path / name
        path.write_bytes(data)
        assert [row.text for row in open_rows(str(path))] == ["x"]


def test_zstd_skippable_frame_is_skipped(table: Table) -> None:
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert table(skippable + zstd(b"one\n")) == [(1, "one", None)]


def test_gzip_zero_padding_is_no_damage(table: Table) -> None:
    assert table(gzip.compress(b"one\n") + bytes(700)) == [(1, "one", None)]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_truncation_yields_what_came_before_and_one_bad_row(
    compress: Callable[[bytes], bytes], table: Table
) -> None:
    first = compress(PLAIN)
    data = first + compress(b"cut\n" * 50)[:-3]
    rows = table(data)
    assert rows[: len(LINES)] == [(n, text, None) for n, text in enumerate(LINES, 1)]
    assert [problem for _, _, problem in rows[len(LINES) :]].count("truncated_compression") == 1
    assert rows[-1][2] == "truncated_compression"
    assert rows[-1][0] == len(rows)


def test_a_line_cut_by_truncation_is_not_a_good_row(table: Table) -> None:
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(b"one.example\nexample.co") + packer.flush(zlib.Z_SYNC_FLUSH)
    assert table(data) == [(1, "one.example", None), (2, "example.co", "truncated_compression")]


def test_truncation_at_a_line_end_still_gives_a_bad_row(table: Table) -> None:
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(b"one\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    assert table(data) == [(1, "one", None), (2, "", "truncated_compression")]


@pytest.mark.parametrize("data", [b"\x1f\x8b", gzip.compress(b"one\n")[:6], zstd(b"one\n")[:5]])
def test_only_a_header(data: bytes, table: Table) -> None:
    assert table(data) == [(1, "", "truncated_compression")]


def test_gzip_with_a_wrong_checksum_keeps_its_rows(table: Table) -> None:
    data = bytearray(gzip.compress(b"one\ntwo\n"))
    data[-8] ^= 1
    assert table(bytes(data)) == [
        (1, "one", None),
        (2, "two", None),
        (3, "", "corrupt_compression"),
    ]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_garbage_after_a_frame(compress: Callable[[bytes], bytes], table: Table) -> None:
    data = compress(PLAIN) + b"this is no frame"
    assert table(data)[len(LINES) :] == [(len(LINES) + 1, "", "corrupt_compression")]


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_ratio_limit(compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_FREE_BYTES", 1 << 20)
    bomb = compress(b"a\n" * (1 << 20))
    seen = 0
    with pytest.raises(InputError, match=r"200 times its size; .* decompress") as caught:  # noqa: PT012
        for _ in open_rows("-", stdin=io.BytesIO(bomb)):
            seen += 1
    assert seen >= 1 << 18
    assert caught.value.source == "-"
    assert abs(caught.value.line - seen) <= 1


def test_ratio_is_not_looked_at_for_small_output(table: Table) -> None:
    data = gzip.compress(b"a\n" * 100_000)
    assert len(data) * compression.MAX_RATIO < 200_000
    assert len(table(data)) == 100_000


def test_pieces_are_bounded() -> None:
    bomb = zstd(bytes(8 << 20))
    codec = compression.codec_for(bomb)
    assert codec is not None
    pieces = [len(piece) for piece in compression.decompress(iter([bomb]), codec)]
    assert sum(pieces) == 8 << 20
    assert max(pieces) <= 256 << 10


@pytest.mark.parametrize("compress", COMPRESSORS)
@settings(max_examples=100, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(4, 400), st.integers(1, 255)), min_size=1, max_size=3))
def test_flipped_bytes_never_raise_and_damage_comes_last(
    compress: Callable[[bytes], bytes], flips: list[tuple[int, int]]
) -> None:
    data = bytearray(compress(PLAIN[:3000]))
    for position, mask in flips:
        data[position % (len(data) - 4) + 4] ^= mask
    problems = [row.problem for row in open_rows("-", stdin=io.BytesIO(bytes(data)))]
    damage = [problem for problem in problems if problem and problem.endswith("_compression")]
    assert damage == [problem for problem in problems[-1:] if problem in damage]


@pytest.mark.parametrize("compress", COMPRESSORS)
@settings(max_examples=100, deadline=None)
@given(cut=st.integers(4, 10_000))
def test_every_cut_is_reported_and_no_row_is_altered(
    compress: Callable[[bytes], bytes], cut: int
) -> None:
    data = compress(PLAIN)
    data = data[: min(cut, len(data) - 1)]
    *rows, last = open_rows("-", format="lines", stdin=io.BytesIO(data))
    assert last.problem == "truncated_compression"
    assert [row.text for row in rows] == LINES[: len(rows)]
