"""Weights in 8 bits, block by block, against the same by hand."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="needs the extra export")


def graph(folder, weights, nodes):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    made = helper.make_graph(
        nodes,
        "graph",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, None]),
            helper.make_tensor_value_info("ids", TensorProto.INT64, [3]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", "columns"])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    folder.mkdir()
    onnx.save(
        helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9),
        str(folder / "model.onnx"),
    )
    return folder


def run(folder, **inputs):
    """By the package's own, slow reference."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(str(folder / "model.onnx"))
    onnx.checker.check_model(model)
    return ReferenceEvaluator(model).run(None, inputs)[0]


@pytest.mark.parametrize("size", [128, 64, 48, 1])
def test_products(tmp_path, size):
    from onnx import helper

    from isogloss.errors import ModelError
    from isogloss.export.int8_graph import quantise_graph

    draw = np.random.default_rng(0)
    weights = draw.standard_normal((size, 5)).astype(np.float32)
    # A block with large values does not coarsen the others.
    weights[:64, 0] *= 1000
    folder = graph(tmp_path / "g", {"w": weights}, [helper.make_node("MatMul", ["x", "w"], ["y"])])
    if size == 1:
        with pytest.raises(ModelError, match="no weight matrix"):
            quantise_graph(folder, "m")
        return
    assert quantise_graph(folder, "m") == 1
    found = run(folder, x=np.eye(size, dtype=np.float32)[:2], ids=np.zeros(3, np.int64))
    block = 64 if size % 64 == 0 else size
    for row in range(2):
        for column in range(5):
            step = np.abs(weights[:block, column]).max() / 127
            assert abs(found[row, column] - weights[row, column]) <= step * 0.5001
    last = run(folder, x=np.eye(size, dtype=np.float32)[-2:], ids=np.zeros(3, np.int64))
    if size == 128:
        assert abs(last[1, 0] - weights[-1, 0]) < 0.05


def test_a_table_that_is_looked_up_and_multiplied_with(tmp_path):
    import onnx
    from onnx import helper

    from isogloss.export.int8_graph import quantise_graph

    draw = np.random.default_rng(0)
    table = draw.standard_normal((4, 64)).astype(np.float32)
    table[2] *= 1000
    nodes = [
        helper.make_node("MatMul", ["x", "table"], ["product"]),
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Concat", ["product", "rows"], ["y"], axis=0),
    ]
    folder = graph(tmp_path / "g", {"table": table}, nodes)
    x, ids = np.eye(4, dtype=np.float32)[:2], np.array([2, 0, 2])
    expected = np.concatenate([table[:2], table[ids]])
    assert quantise_graph(folder, "m") == 2
    found = run(folder, x=x, ids=ids)
    np.testing.assert_allclose(found[2:], expected[2:], atol=14)
    np.testing.assert_allclose(found[3], table[0], atol=0.02)
    # The table itself is gone.
    assert "table" not in {one.name for one in onnx.load(str(folder / "model.onnx")).graph.initializer}


def test_other_graphs_are_left_alone(tmp_path):
    from onnx import helper

    from isogloss.errors import ModelError
    from isogloss.export.int8_graph import quantise_graph

    table = np.ones((3, 4), np.float32)
    nodes = [helper.make_node("Gather", ["table", "ids"], ["y"], axis=1)]
    with pytest.raises(ModelError, match="m: the graph has no weight matrix"):
        quantise_graph(graph(tmp_path / "g", {"table": table}, nodes), "m")
