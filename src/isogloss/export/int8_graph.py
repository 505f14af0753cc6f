"""The weights of an ONNX graph in 8 bits.

Whole numbers from -127 to 127 and scales: of word embeddings a scale a row, of a matrix that is multiplied with a scale
for each `BLOCK` neighbouring values of each column. OpenVINO and ONNX Runtime read this form (`DequantizeLinear` before
the product) as 8-bit weights, round the other side as it comes, block by block, and multiply in 8 bits. What a text
is rounded to does then not depend on the texts beside it, as it would with one scale for all activations of a batch
(`DynamicQuantizeLinear`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.int8_weights import quantised
from isogloss.errors import ModelError
from isogloss.export.graph import FILE, import_onnx, save_graph

BLOCK = 64
"""Values a scale: the group in which OpenVINO rounds activations, too (`int8_transformer.ACTIVATION_GROUP`)."""

_OPSET_OF_BLOCKS = 21
_IR_OF_BLOCKS = 10
_FLOAT = 1


def quantise_graph(folder: Path, name: str) -> int:
    """Put the weight matrices of `model.onnx` in a folder into 8 bits; the folder's content is replaced.

    Args:
        folder: as `write_graph` makes it.
        name: what to call the model in errors.

    Returns:
        How many matrices there are in 8 bits.

    Raises:
        ModelError: onnx is not installed, or there is no matrix.
    """
    onnx = import_onnx()
    model = onnx.load(str(folder / FILE))
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    matrices: dict[str, NDArray[np.float32]] = {
        key: onnx.numpy_helper.to_array(tensor)
        for key, tensor in weights.items()
        if tensor.data_type == _FLOAT and len(tensor.dims) == 2 and min(tensor.dims) > 1
    }
    nodes: list[Any] = []
    replaced: set[tuple[str, str]] = set()
    for node in graph.node:
        port = {"MatMul": 1, "Gather": 0}.get(node.op_type)
        taken = node.input[port] if port is not None else ""
        axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
        if port is None or taken not in matrices or (node.op_type == "Gather" and axis != 0):
            nodes.append(node)
            continue
        if (taken, node.op_type) not in replaced:
            stored = _rows if node.op_type == "Gather" else _blocks
            graph.initializer.extend(
                onnx.numpy_helper.from_array(one, f"{taken}_{node.op_type}_{part}")
                for part, one in zip(("int8", "scale"), stored(matrices[taken]), strict=True)
            )
            if node.op_type == "MatMul":
                nodes.append(_dequantised(onnx, taken, matrices[taken].shape[0]))
            replaced.add((taken, node.op_type))
        if node.op_type == "MatMul":
            node.input[1] = f"{taken}_float"
            nodes.append(node)
        else:
            nodes += _looked_up(onnx, taken, node)
    if not replaced:
        raise ModelError(f"{name}: the graph has no weight matrix to put into 8 bits; leave out --quantize")
    del graph.node[:]
    graph.node.extend(nodes)
    used = {one for node in nodes for one in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    # From 20, which `write_graph` writes, to 21 no operator changes its meaning.
    next(one for one in model.opset_import if one.domain == "").version = _OPSET_OF_BLOCKS
    model.ir_version = max(model.ir_version, _IR_OF_BLOCKS)
    save_graph(model, folder)
    return len(replaced)


def _rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    return quantised(matrix, 0)


def _blocks(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Numbers (n, m), and scales (n / BLOCK, m); or (m,) where n is no multiple."""
    size, columns = matrix.shape
    if size % BLOCK:
        numbers, scales = quantised(matrix, 1)
        return numbers, scales.ravel()
    numbers, scales = quantised(np.ascontiguousarray(matrix.T).reshape(-1, BLOCK), 0)
    return (
        np.ascontiguousarray(numbers.reshape(columns, size).T),
        np.ascontiguousarray(scales.reshape(columns, size // BLOCK).T),
    )


def _dequantised(onnx: Any, weights: str, size: int) -> Any:
    blocks = {"axis": 1} if size % BLOCK else {"axis": 0, "block_size": BLOCK}
    return onnx.helper.make_node(
        "DequantizeLinear",
        [f"{weights}_MatMul_int8", f"{weights}_MatMul_scale"],
        [f"{weights}_float"],
        **blocks,
    )


def _looked_up(onnx: Any, weights: str, node: Any) -> list[Any]:
    """Rows times their scales. The whole table dequantised before would be another 400 MB a call for ONNX Runtime."""
    ids, output = node.input[1], node.output[0]
    make = onnx.helper.make_node
    return [
        make("Gather", [f"{weights}_Gather_int8", ids], [f"{output}_int8"], axis=0),
        make("Gather", [f"{weights}_Gather_scale", ids], [f"{output}_scale"], axis=0),
        make("Cast", [f"{output}_int8"], [f"{output}_whole"], to=_FLOAT),
        make("Mul", [f"{output}_whole", f"{output}_scale"], [output]),
    ]
