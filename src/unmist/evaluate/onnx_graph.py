"""The encoder with one specialist as an ONNX graph, only to measure ONNX Runtime with it.

The same arithmetic as :mod:`unmist.engine.graph`, with the LoRA factors merged into the weights.
Input ``ids`` int32 [rows, length], 0 is padding; outputs ``vectors`` and ``logits``.
"""

from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from unmist.artifact import Adapter, Folder

OPSET: Final = 20
_MASKED: Final = -1e9


def build(folder: Folder, task: str) -> Any:
    """An ``onnx.ModelProto``, checked."""
    builder = _Builder(folder, folder.adapters[task])
    builder.build()
    ids = helper.make_tensor_value_info("ids", TensorProto.INT32, ["rows", "length"])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
        for name, width in (
            ("vectors", folder.config.hidden_size),
            ("logits", len(folder.adapters[task].card.labels)),
        )
    ]
    graph = helper.make_graph(builder.nodes, "unmist", [ids], outputs, builder.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10
    onnx.checker.check_model(model)
    return model


class _Builder:
    def __init__(self, folder: Folder, adapter: Adapter) -> None:
        self.config, self.adapter = folder.config, adapter
        self.weights = dict(folder.weights)
        for name, (down, up) in adapter.lora.items():
            self.weights[f"{name}.weight"] = folder.weights[f"{name}.weight"] + up @ down
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def build(self) -> None:
        """All nodes, from ``ids`` to the two outputs."""
        table = self.constant(self.weights["embeddings.tok_embeddings.weight"])
        x = self.norm(self.op("Gather", table, "ids", axis=0), "embeddings.norm")
        real = self.op("Not", self.op("Equal", "ids", self.constant(np.int32(0))))
        mask = self.op(
            "Where", real, self.constant(np.float32(0)), self.constant(np.float32(_MASKED))
        )
        mask = self.op("Unsqueeze", mask, self.ints(1, 2))
        waves = self.waves()
        for i in range(self.config.num_hidden_layers):
            inner = x if i == 0 else self.norm(x, f"layers.{i}.attn_norm")
            x = self.op("Add", x, self.attention(inner, i, waves, mask))
            x = self.op("Add", x, self.mlp(self.norm(x, f"layers.{i}.mlp_norm"), i))
        weight = self.op("Cast", real, to=TensorProto.FLOAT)
        column = self.op("Unsqueeze", weight, self.ints(2))
        one = self.ints(1)
        total = self.op(
            "ReduceSum", self.op("Mul", self.norm(x, "final_norm"), column), one, keepdims=0
        )
        pooled = self.op("Div", total, self.op("ReduceSum", column, one, keepdims=0))
        self.op("LpNormalization", pooled, axis=1, p=2, out="vectors")
        head = self.constant(self.adapter.weight.T)
        logits = self.op("MatMul", pooled, head)
        self.op("Add", logits, self.constant(self.adapter.bias), out="logits")

    def op(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add a node with one output; the output's name."""
        name = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """Add an array; its name."""
        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values: int) -> str:
        """Add a short row of int64, as shapes and axes are given; its name."""
        return self.constant(np.array(values, np.int64))

    def waves(self) -> tuple[str, str]:
        """Cosines and sines of the positions [length, head width]."""
        config = self.config
        half = np.arange(0, config.head_width, 2) / config.head_width
        angles = np.outer(np.arange(config.max_position_embeddings), config.rope_theta**-half)
        angles = np.concatenate((angles, angles), 1)
        length = self.op("Gather", self.op("Shape", "ids"), self.ints(1), axis=0)
        start, axis = self.ints(0), self.ints(0)
        cos, sin = (
            self.op("Slice", self.constant(np.float32(wave)), start, length, axis)
            for wave in (np.cos(angles), np.sin(angles))
        )
        return cos, sin

    def attention(self, x: str, layer: int, waves: tuple[str, str], mask: str) -> str:
        """One layer's attention."""
        heads, width = self.config.num_attention_heads, self.config.head_width
        qkv = self.linear(x, f"layers.{layer}.attn.Wqkv")
        split = self.op("Reshape", qkv, self.ints(0, 0, 3, heads, width))
        moved = self.op("Transpose", split, perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self.op("Gather", moved, self.constant(np.int64(i)), axis=0) for i in range(3)
        )
        query, key = self.rotate(query, waves), self.rotate(key, waves)
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self.op("Mul", scores, self.constant(np.float32(width**-0.5)))
        shares = self.op("Softmax", self.op("Add", scores, mask), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        merged = self.op("Reshape", mixed, self.ints(0, 0, heads * width))
        return self.linear(merged, f"layers.{layer}.attn.Wo")

    def rotate(self, x: str, waves: tuple[str, str]) -> str:
        """Rotary positions."""
        half = self.config.head_width // 2
        zero, middle, end = (self.ints(i) for i in (0, half, 2 * half))
        axis = self.ints(3)
        first = self.op("Slice", x, zero, middle, axis)
        second = self.op("Slice", x, middle, end, axis)
        turned = self.op("Concat", self.op("Neg", second), first, axis=3)
        cos, sin = waves
        return self.op("Add", self.op("Mul", x, cos), self.op("Mul", turned, sin))

    def mlp(self, x: str, layer: int) -> str:
        """One layer's gated MLP."""
        both = self.linear(x, f"layers.{layer}.mlp.Wi")
        inner = self.config.intermediate_size
        zero, middle, end = (self.ints(i) for i in (0, inner, 2 * inner))
        axis = self.ints(2)
        gate = self.op("Gelu", self.op("Slice", both, zero, middle, axis))
        gated = self.op("Mul", gate, self.op("Slice", both, middle, end, axis))
        return self.linear(gated, f"layers.{layer}.mlp.Wo")

    def linear(self, x: str, name: str) -> str:
        """A matrix product with a weight [out, in]."""
        return self.op("MatMul", x, self.constant(self.weights[f"{name}.weight"].T))

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation without bias."""
        scale = self.constant(self.weights[f"{name}.weight"])
        return self.op("LayerNormalization", x, scale, axis=-1, epsilon=self.config.norm_eps)
