"""Tuning of the text encoder: small differences, learned by us, are put into installed weights.

Descriptions of faces are not what the text encoder was made for, so a low-rank difference of each
of its linear layers is learned (LoRA: Hu and others, 2021). The pack carries the differences, which
are ours; the weights stay in the package that the user installed, and both meet in memory. An ONNX
file is a protobuf message: the few fields that are needed are found without a library for it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

PARTS = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
"""The linear layers in a block of BERT."""
GAIN = 2.0
"""What the product of a difference's two factors is multiplied by."""

LAYER = re.compile(rf"(?:^|\.)(encoder\.layer\.\d+\.(?:{'|'.join(PARTS)}))\.bias$")

# Field numbers of onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto.
GRAPH, NODE, INITIALIZER = 7, 1, 5
INPUT, OUTPUT, OP_TYPE = 1, 2, 4
NAME, RAW_DATA = 8, 9


@dataclass(frozen=True)
class Linear:
    """Where the weight (in, out) of a linear layer lies in the bytes of a model."""

    weight: tuple[int, int]
    """start and stop of float32 values, or of int8 values where there is a scale"""
    scale: tuple[int, int] | None
    """start and stop of one float32 for each output channel"""


def linears(model: bytes) -> dict[str, Linear]:
    """The linear layers of an ONNX model by name, such as encoder.layer.0.output.dense.

    A layer is known by its bias, which is added to the product with its weight. Raises ValueError
    where the bytes are no such model.
    """
    raw = initializers(model)
    nodes = list(_nodes(model))
    products = {outputs[0]: inputs for kind, inputs, outputs in nodes if kind == "MatMul"}
    found = {}
    for kind, inputs, _ in nodes:
        if kind != "Add":
            continue
        for bias, product in (inputs, inputs[::-1]):
            if (name := LAYER.search(bias)) and product in products:
                weight = products[product][1]
                quantised = raw.get(f"{weight}_q")
                scale = raw[f"{weight}_scale"] if quantised else None
                found[name[1]] = Linear(quantised or raw[weight], scale)
    if not found:
        raise ValueError("the model has no linear layers of BERT")
    return found


def merged(model: bytes, differences: Mapping[str, np.ndarray]) -> bytes:
    """The model with the differences added to its weights; int8 ones are rounded anew.

    Args:
        differences: `<layer>.a` (rank, in) and `<layer>.b` (out, rank) of each layer.

    Raises ValueError where the model has not these layers, or of another size.
    """
    layers, changed = linears(model), bytearray(model)
    for name in sorted({key.rpartition(".")[0] for key in differences}):
        if name not in layers:
            raise ValueError(f"the text encoder has no layer {name}")
        a, b = (differences[f"{name}.{factor}"].astype(np.float32) for factor in "ab")
        if a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:
            raise ValueError(f"the factors {a.shape} and {b.shape} of {name} make no difference")
        weight = weight_of(model, layers[name], inputs=a.shape[1]) + GAIN * (b @ a).T
        _put(changed, layers[name], weight)
    return bytes(changed)


def weight_of(model: bytes, layer: Linear, *, inputs: int) -> np.ndarray:
    """The weight (in, out) float32 of a linear layer with so many inputs."""
    start, stop = layer.weight
    kind = np.dtype(np.float32 if layer.scale is None else np.int8)
    weight = np.frombuffer(model[start:stop], kind).reshape(inputs, -1).astype(np.float32)
    if layer.scale is None:
        return weight
    return weight * np.frombuffer(model[slice(*layer.scale)], np.float32)


def _put(model: bytearray, layer: Linear, weight: np.ndarray) -> None:
    """Write a weight (in, out) in its place, rounded to int8 where it is kept so."""
    if layer.scale is not None:
        scale = np.abs(weight).max(axis=0).astype(np.float32) / 127
        _write(model, layer.scale, scale)
        weight = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
    _write(model, layer.weight, weight)


def _write(model: bytearray, place: tuple[int, int], values: np.ndarray) -> None:
    start, stop = place
    if stop - start != values.nbytes:
        raise ValueError(f"{values.nbytes} bytes do not fit into {stop - start}")
    model[start:stop] = np.ascontiguousarray(values).tobytes()


def initializers(model: bytes) -> dict[str, tuple[int, int]]:
    """Name -> start and stop of the raw values, of each tensor that the model carries."""
    found = {}
    for start, stop in _fields(model, GRAPH, 0, len(model)):
        for first, last in _fields(model, INITIALIZER, start, stop):
            for place in _fields(model, RAW_DATA, first, last):
                found[_texts(model, NAME, first, last)[0]] = place
    return found


def _nodes(model: bytes) -> Iterator[tuple[str, list[str], list[str]]]:
    """Kind, inputs and outputs of each node."""
    for start, stop in _fields(model, GRAPH, 0, len(model)):
        for first, last in _fields(model, NODE, start, stop):
            kind, *_ = _texts(model, OP_TYPE, first, last) or [""]
            inputs, outputs = (_texts(model, field, first, last) for field in (INPUT, OUTPUT))
            yield kind, inputs, outputs


def _texts(model: bytes, field: int, start: int, stop: int) -> list[str]:
    return [model[a:b].decode() for a, b in _fields(model, field, start, stop)]


def _fields(model: bytes, wanted: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Where the fields of this number lie in the message model[start:stop], those with a length.

    Wire types: https://protobuf.dev/programming-guides/encoding/.
    """
    while start < stop:
        key, start = _varint(model, start)
        number, wire = key >> 3, key & 7
        if wire == 2:
            length, start = _varint(model, start)
            if start + length > stop:
                raise ValueError("the model is cut short")
            if number == wanted:
                yield start, start + length
            start += length
        elif wire == 0:
            _, start = _varint(model, start)
        elif wire in (1, 5):
            start += 8 if wire == 1 else 4
        else:
            raise ValueError("the model is no protobuf message")


def _varint(model: bytes, start: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = shift = 0
    while True:
        if start >= len(model) or shift > 63:
            raise ValueError("the model is no protobuf message")
        byte = model[start]
        start += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, start
        shift += 7
