"""The weights of an OpenVINO model in 8 bits.

A weight matrix becomes whole numbers from -127 to 127 and a scale for each of its output channels (each row, for
word embeddings). The processor plugin then multiplies in 8 bits, its inputs rounded as they come, each group of a few
hundred neighbouring values by its own scale: what a text is rounded to does not depend on the texts beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantised(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a matrix to 8 bits, symmetrically, with a scale for each index of `axis`.

    Args:
        weights: float32, shape (n, m).
        axis: 0 for a scale a row, 1 for a scale a column.

    Returns:
        The whole numbers, int8, shape (n, m), and the scales, float32, shape (n, 1) or (1, m); their product is the
        matrix to within half a scale. A row of zeros has the scale 1.
    """
    largest = np.abs(weights).max(axis=1 - axis, keepdims=True, initial=0)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales


def compress_weights(model: Any) -> int:
    """Put the weight matrices of an OpenVINO model into 8 bits, in place.

    Args:
        model: an `openvino.Model`; the constants that matrix products and look-ups take are replaced.

    Returns:
        How many were replaced.
    """
    from openvino import opset13 as ops

    replaced = 0
    for operation in model.get_ordered_ops():
        kind = operation.get_type_name()
        if kind == "MatMul":
            port = 1
            axis = 0 if operation.get_attributes()["transpose_b"] else 1
        elif kind == "Gather":
            port, axis = 0, 0
        else:
            continue
        constant = operation.input_value(port).get_node()
        if constant.get_type_name() != "Constant" or constant.get_element_type().get_type_name() != "f32":
            continue
        weights = constant.get_data()
        if weights.ndim != 2 or min(weights.shape) < 2:
            continue
        numbers, scales = quantised(weights, axis)
        whole = ops.convert(ops.constant(numbers), "f32")
        operation.input(port).replace_source_output(ops.multiply(whole, ops.constant(scales)).output(0))
        replaced += 1
    return replaced
