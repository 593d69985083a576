"""The encoder as an OpenVINO graph, with LoRA factors that come in with the rows.

Inputs: ``ids`` int32 [rows, length], 0 is padding. Where modules are adapted, also ``source`` int32
[questions], the row that each question is about; ``gate`` float32 [questions, ranks], 1 where a
factor belongs to the question's adapter; and for each module ``down:<module>`` [ranks, in] and
``up:<module>`` [out, ranks], the factors of all adapters asked, side by side. Outputs: ``pooled``
[rows or questions, hidden], the mean of the hidden states of real tokens, and ``vectors``, the same
L2-normalised; both float32.

A question's own adapter is chosen by a mask between the factors: ``x + ((x @ A_all) * gate) @
B_all``. That is plain matrix product, so questions to many adapters go through in one batch. Layers
below the lowest adapted one see each row once, however many adapters are asked about it.
Source: Warner et al., arXiv 2412.13663 (encoder); Hu et al., arXiv 2106.09685 (LoRA).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from unmist.artifact import EncoderConfig
from unmist.engine.runtime import op, ov

_MASKED: Final = -1e9
_Arrays = dict[str, np.ndarray]


def build(config: EncoderConfig, weights: _Arrays, modules: Sequence[str] = ()) -> ov.Model:
    """The graph of an encoder in which ``modules`` (``layers.<i>.<name>``) are adapted."""
    return _Builder(config, weights, modules).model()


def layer_of(module: str) -> int:
    """Number of the layer that a module is part of."""
    return int(module.split(".")[1])


@dataclass(frozen=True)
class _Positions:
    cos: ov.Node
    sin: ov.Node
    mask: ov.Node


class _Builder:
    def __init__(self, config: EncoderConfig, weights: _Arrays, modules: Sequence[str]) -> None:
        self.config, self.weights = config, weights
        self.ids = _input("ids", [-1, -1], ov.Type.i32)
        self.real = op.not_equal(self.ids, _int(0))
        self.inputs, self.factors = [self.ids], dict[str, tuple[ov.Node, ov.Node]]()
        self.first = min(map(layer_of, modules), default=config.num_hidden_layers)
        if modules:
            self.source = _input("source", [-1], ov.Type.i32)
            self.gate = _input("gate", [-1, -1], ov.Type.f32)
            self.inputs += [self.source, self.gate]
        for module in modules:
            wide, narrow = weights[f"{module}.weight"].shape
            down = _input(f"down:{module}", [-1, narrow], ov.Type.f32)
            up = _input(f"up:{module}", [wide, -1], ov.Type.f32)
            self.factors[module] = (down, up)
            self.inputs += [down, up]

    def model(self) -> ov.Model:
        table = _float(self.weights["embeddings.tok_embeddings.weight"])
        x = op.gather(table, self.ids, _int(0))
        x = self._norm(x, "embeddings.norm")
        positions = self._positions()
        for i in range(self.config.num_hidden_layers):
            if i == self.first:  # from here on, one row for each question
                x = op.gather(x, self.source, _int(0))
                self.real = op.gather(self.real, self.source, _int(0))
                positions = self._positions()
            inner = x if i == 0 else self._norm(x, f"layers.{i}.attn_norm")
            x = op.add(x, self._attention(inner, i, positions))
            x = op.add(x, self._mlp(self._norm(x, f"layers.{i}.mlp_norm"), i))
        pooled = self._mean(self._norm(x, "final_norm"))
        results = [
            _named(pooled, "pooled"),
            _named(op.normalize_l2(pooled, _int([1]), 1e-24, "add"), "vectors"),
        ]
        return ov.Model(results, self.inputs, "unmist")

    def _positions(self) -> _Positions:
        config = self.config
        length = op.gather(op.shape_of(self.ids, "i32"), _int([1]), _int(0))
        half = np.arange(0, config.head_width, 2) / config.head_width
        angles = np.outer(np.arange(config.max_position_embeddings), config.rope_theta**-half)
        angles = np.concatenate((angles, angles), 1)
        cos, sin = (
            op.slice(_float(wave), _int([0]), length, _int([1]), _int([0]))
            for wave in (np.cos(angles), np.sin(angles))
        )
        blocked = op.select(self.real, _float(0.0), _float(_MASKED))
        return _Positions(cos, sin, op.unsqueeze(blocked, _int([1, 2])))

    def _attention(self, x: ov.Node, layer: int, positions: _Positions) -> ov.Node:
        heads, width = self.config.num_attention_heads, self.config.head_width
        qkv = self._linear(x, f"layers.{layer}.attn.Wqkv")
        split = op.reshape(qkv, _int([0, 0, 3, heads, width]), True)
        parts = op.split(op.transpose(split, _int([2, 0, 3, 1, 4])), _int(0), 3)
        query, key, value = (op.squeeze(parts.output(i), _int([0])) for i in range(3))
        query, key = self._rotate(query, positions), self._rotate(key, positions)
        mixed = op.scaled_dot_product_attention(query, key, value, positions.mask)
        merged = op.reshape(
            op.transpose(mixed, _int([0, 2, 1, 3])), _int([0, 0, heads * width]), True
        )
        return self._linear(merged, f"layers.{layer}.attn.Wo")

    def _rotate(self, x: ov.Node, positions: _Positions) -> ov.Node:
        halves = op.split(x, _int(3), 2)
        turned = op.concat([op.negative(halves.output(1)), halves.output(0)], 3)
        return op.add(op.multiply(x, positions.cos), op.multiply(turned, positions.sin))

    def _mlp(self, x: ov.Node, layer: int) -> ov.Node:
        halves = op.split(self._linear(x, f"layers.{layer}.mlp.Wi"), _int(2), 2)
        gated = op.multiply(op.gelu(halves.output(0), "erf"), halves.output(1))
        return self._linear(gated, f"layers.{layer}.mlp.Wo")

    def _linear(self, x: ov.Node, name: str) -> ov.Node:
        out = op.matmul(x, _float(self.weights[f"{name}.weight"]), False, True)
        if name not in self.factors:
            return out
        down, up = self.factors[name]
        low = op.multiply(op.matmul(x, down, False, True), op.unsqueeze(self.gate, _int([1])))
        return op.add(out, op.matmul(low, up, False, True))

    def _norm(self, x: ov.Node, name: str) -> ov.Node:
        centred = op.mvn(x, _int([-1]), True, self.config.norm_eps, "inside_sqrt")
        return op.multiply(centred, _float(self.weights[f"{name}.weight"]))

    def _mean(self, x: ov.Node) -> ov.Node:
        real = op.unsqueeze(op.convert(self.real, "f32"), _int([2]))
        total = op.reduce_sum(op.multiply(x, real), _int([1]), False)
        return op.divide(total, op.reduce_sum(real, _int([1]), False))


def _input(name: str, shape: list[int], kind: ov.Type) -> ov.Node:
    return op.parameter(ov.PartialShape(shape), kind, name=name)


def _named(node: ov.Node, name: str) -> ov.Node:
    result = op.result(node)
    result.output(0).get_tensor().set_names({name})
    return result


def _float(value: Any) -> ov.Node:
    return op.constant(np.ascontiguousarray(value, np.float32), ov.Type.f32)


def _int(value: Any) -> ov.Node:
    return op.constant(np.asarray(value, np.int32), ov.Type.i32)
