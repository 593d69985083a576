"""The encoder as an OpenVINO graph, with the LoRA factors of all adapters side by side.

Inputs: ``ids`` int32 [rows, length], 0 is padding; ``gate`` float32 [rows, adapters], 1 where a row
is asked of that adapter. Outputs: ``vectors`` float32 [rows, hidden], the mean of the hidden states
of real tokens, L2-normalised; ``logits`` float32 [rows, all labels of all adapters].

A row's own adapter is chosen by a mask between the factors: ``x + ((x @ A_all) * gate) @ B_all``.
That is plain matrix product, so rows of many adapters go through in one batch.
Source: Warner et al., arXiv 2412.13663 (encoder); Hu et al., arXiv 2106.09685 (LoRA).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from unmist.artifact import Adapter, EncoderConfig
from unmist.engine.runtime import op, ov

_MASKED: Final = -1e9
_Arrays = dict[str, np.ndarray]


def build(config: EncoderConfig, weights: _Arrays, adapters: list[Adapter]) -> ov.Model:
    """The graph for an encoder and the adapters in the given order (may be empty)."""
    return _Builder(config, weights, adapters).model()


@dataclass(frozen=True)
class _Positions:
    cos: ov.Node
    sin: ov.Node
    mask: ov.Node


class _Builder:
    def __init__(self, config: EncoderConfig, weights: _Arrays, adapters: list[Adapter]) -> None:
        self.config, self.weights, self.adapters = config, weights, adapters
        self.ids = op.parameter(ov.PartialShape([-1, -1]), ov.Type.i32, name="ids")
        self.gate = op.parameter(
            ov.PartialShape([-1, max(len(adapters), 1)]), ov.Type.f32, name="gate"
        )
        self.real = op.not_equal(self.ids, _int(0))

    def model(self) -> ov.Model:
        table = _float(self.weights["embeddings.tok_embeddings.weight"])
        x = op.gather(table, self.ids, _int(0))
        x = self._norm(x, "embeddings.norm")
        positions = self._positions()
        for i in range(self.config.num_hidden_layers):
            inner = x if i == 0 else self._norm(x, f"layers.{i}.attn_norm")
            x = op.add(x, self._attention(inner, i, positions))
            x = op.add(x, self._mlp(self._norm(x, f"layers.{i}.mlp_norm"), i))
        pooled = self._mean(self._norm(x, "final_norm"))
        results = [_named(op.normalize_l2(pooled, _int([1]), 1e-24, "add"), "vectors")]
        if self.adapters:
            results.append(_named(self._heads(pooled), "logits"))
        return ov.Model(results, [self.ids, self.gate], "unmist")

    def _heads(self, pooled: ov.Node) -> ov.Node:
        weight = np.concatenate([a.weight for a in self.adapters])
        bias = np.concatenate([a.bias for a in self.adapters])
        return op.add(op.matmul(pooled, _float(weight), False, True), _float(bias[None]))

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
        chosen = [(i, a.lora[name]) for i, a in enumerate(self.adapters) if name in a.lora]
        if not chosen:
            return out
        down = np.concatenate([factors[0] for _, factors in chosen])
        up = np.concatenate([factors[1] for _, factors in chosen], axis=1)
        owner = np.repeat([i for i, _ in chosen], [len(factors[0]) for _, factors in chosen])
        gate = op.unsqueeze(op.gather(self.gate, _int(owner), _int(1)), _int([1]))
        low = op.multiply(op.matmul(x, _float(down), False, True), gate)
        return op.add(out, op.matmul(low, _float(up), False, True))

    def _norm(self, x: ov.Node, name: str) -> ov.Node:
        centred = op.mvn(x, _int([-1]), True, self.config.norm_eps, "inside_sqrt")
        return op.multiply(centred, _float(self.weights[f"{name}.weight"]))

    def _mean(self, x: ov.Node) -> ov.Node:
        real = op.unsqueeze(op.convert(self.real, "f32"), _int([2]))
        total = op.reduce_sum(op.multiply(x, real), _int([1]), False)
        return op.divide(total, op.reduce_sum(real, _int([1]), False))


def _named(node: ov.Node, name: str) -> ov.Node:
    result = op.result(node)
    result.output(0).get_tensor().set_names({name})
    return result


def _float(value: Any) -> ov.Node:
    return op.constant(np.ascontiguousarray(value, np.float32), ov.Type.f32)


def _int(value: Any) -> ov.Node:
    return op.constant(np.asarray(value, np.int32), ov.Type.i32)
