"""One rival in a process of its own: a JSON list of texts comes in, one of scores goes out.

Run by path, under the rival's own Python: it imports nothing of unmist. Exit code 3: the rival is
not installed.
"""

import ctypes
import ctypes.util
import json
import os
import sys
from collections.abc import Callable, Sequence

ABSENT = 3
_CHUNK = 1024
_LONGEST = 82  # characters of dgaintel's input
_NDPI_MASK = 64  # bytes: one bit for each of 512 protocols


class NotThereError(Exception):
    """A library that a rival is made of is not installed."""


def dgaintel(texts: Sequence[str]) -> list[float]:
    """Probability of being generated, by its network."""
    from dgaintel.predict import get_prob

    found: list[float] = []
    for start in range(0, len(texts), _CHUNK):
        # One row alone comes back as a number; two never do.
        chunk = [text[:_LONGEST] for text in texts[start : start + _CHUNK]]
        found += [float(p) for p in get_prob([*chunk, "a.com", "b.com"], raw=True)][: len(chunk)]
    return found


def dgad(texts: Sequence[str]) -> list[float]:
    """Highest probability of being generated among the domain and its sub-domains."""
    from importlib import resources

    import dgad.models
    import numpy as np
    from dgad.classification import TCNClassifier
    from dgad.data_model import Domain

    classifier = TCNClassifier()
    with resources.as_file(resources.files(dgad.models) / "tcn_best.h5") as path:
        classifier.load_keras_model(filepath=path)
    longest = classifier.model.input_shape[1]
    words, owner = [], []
    for place, text in enumerate(texts):
        known = classifier.characters_dictionary
        domain = Domain(text, longest, known, classifier.labels_dictionary)
        for word in (domain.domain_name, *domain.subdomains):
            words.append(word.padded_token_vector)
            owner.append(place)
    said = np.asarray(classifier.model.predict(np.array(words), verbose=0)).ravel()
    found = np.zeros(len(texts))
    np.maximum.at(found, np.array(owner), said)
    return [float(score) for score in found]


def ndpi(texts: Sequence[str]) -> list[float]:
    """1 for a name that nDPI's rules call generated, 0 for any other; it has no score."""
    path = ctypes.util.find_library("ndpi")
    if path is None:
        raise NotThereError("libndpi is not installed")
    library = ctypes.CDLL(path)
    pointer = ctypes.c_void_p
    library.ndpi_init_detection_module.restype = pointer
    library.ndpi_init_detection_module.argtypes = [ctypes.c_uint32]
    library.ndpi_set_protocol_detection_bitmask2.argtypes = [pointer, pointer]
    library.ndpi_finalize_initialization.argtypes = [pointer]
    library.ndpi_check_dga_name.argtypes = [pointer, pointer, ctypes.c_char_p, ctypes.c_uint8]
    module = library.ndpi_init_detection_module(0)
    every = ctypes.create_string_buffer(b"\xff" * _NDPI_MASK, _NDPI_MASK)
    library.ndpi_set_protocol_detection_bitmask2(module, every)
    library.ndpi_finalize_initialization(module)
    return [
        float(bool(library.ndpi_check_dga_name(module, None, text.encode()[:255], 1)))
        for text in texts
    ]


def fraudurl(texts: Sequence[str]) -> list[float]:
    """Probability of phishing from the URL alone, nothing looked up."""
    from importlib import resources

    from fraudurl.lexical import extract
    from fraudurl.model import Model

    data = resources.files("fraudurl") / "data" / "model_safe.json"
    with resources.as_file(data) as path:
        model = Model(str(path))
    return [float(model.predict(extract(text), want_reasons=False)[1]) for text in texts]


RIVALS: dict[str, Callable[[Sequence[str]], list[float]]] = {
    "dgaintel": dgaintel,
    "dgad": dgad,
    "nDPI": ndpi,
    "fraudurl": fraudurl,
}


def main() -> int:
    """Argument: the rival."""
    here = os.path.dirname(os.path.abspath(__file__))
    # What lies beside this file must not be taken for somebody's library.
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    try:
        found = RIVALS[sys.argv[1]](json.load(sys.stdin))
    except (ModuleNotFoundError, NotThereError) as error:
        print(f"{error}", file=sys.stderr)
        return ABSENT
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
