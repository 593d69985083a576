"""The stream repeats itself as it should."""

from collections import Counter

from unmist.evaluate.zipf import zipf_stream


def test_the_most_frequent_names_follow_zipf() -> None:
    names = [f"{i}.example" for i in range(1000)]
    stream = zipf_stream(names, 50_000, 1.0)
    counts = [count for _, count in Counter(stream).most_common()]
    assert len(stream) == 50_000
    assert 1.7 < counts[0] / counts[1] < 2.3
    assert 7 < counts[0] / counts[9] < 13
    assert stream == zipf_stream(names, 50_000, 1.0)
