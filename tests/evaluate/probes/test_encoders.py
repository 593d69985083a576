"""Peers answer as their library does; in bfloat16 nearly."""

from pathlib import Path

import numpy as np

from unmist.evaluate.probes import Peer

TEXTS = ["login.irs.gov", "bbc.co.uk", "a"]


def test_a_peer_in_bfloat16_is_nearly_the_same_and_kept_apart(peer_folder: Path) -> None:
    plain, quick = Peer("tiny", peer_folder), Peer("tiny", peer_folder, bf16=True)
    assert plain.hash != quick.hash
    one, other = (peer.vectors(TEXTS, "hostname") for peer in (plain, quick))
    assert one.dtype == other.dtype == np.float32
    assert not np.array_equal(one, other)
    assert ((one * other).sum(1) > 0.995).all()
    assert np.abs(np.linalg.norm(other, axis=1) - 1).max() < 0.01
