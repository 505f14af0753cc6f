"""A transformer as an ONNX graph on disk.

The exporter is torch's older one, which traces: OpenVINO does not run what the newer one (`dynamo=True`) makes of
transformers' attention masks, and the newer one needs two more packages. A trace may take a shape for a constant, so
whoever calls this compares the result with the model (`checking`).
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

from isogloss.encoding.last_hidden_state import EXAMPLE, LastHiddenState, inputs_of
from isogloss.errors import ModelError

FILE = "model.onnx"
OUTPUT = "last_hidden_state"
LARGEST_FILE = 1_800_000_000
"""Bytes of weights that go into the graph's own file, which by its format ends at 2 GiB; more lie beside it."""

_OPSET = 20


def import_onnx() -> Any:
    """Import the package onnx.

    Raises:
        ModelError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModelError(
            f"exporting needs onnx ({error}); install it with: pip install 'isogloss[export]'"
        ) from error
    return onnx


def write_graph(transformer: Any, name: str, folder: Path) -> None:
    """Trace a transformer and write `model.onnx`, its inputs and its output named as optimum names them.

    Args:
        transformer: the first module of a sentence-transformers model, on the CPU, in float32; put into evaluation
            mode.
        name: what to call the model in errors.
        folder: where to, made anew.

    Raises:
        ModelError: onnx is not installed, or the exporter fails.
    """
    onnx = import_onnx()
    inputs = inputs_of(transformer, EXAMPLE)
    names = list(inputs)
    # Of a large model the exporter writes a file a tensor: those are put together, and do not stay.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="tracing-") as scratch:
        path = Path(scratch) / FILE
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    LastHiddenState(transformer.model.eval(), names),
                    tuple(inputs.values()),
                    str(path),
                    input_names=names,
                    output_names=[OUTPUT],
                    dynamic_axes={one: {0: "batch_size", 1: "sequence_length"} for one in [*names, OUTPUT]},
                    opset_version=_OPSET,
                    dynamo=False,
                )
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"{name}: the model cannot be exported to ONNX: {reason}") from error
        save_graph(onnx.load(str(path)), folder)


def save_graph(graph: Any, folder: Path) -> None:
    """Write a graph to `model.onnx` in a folder, made anew; large weights to `model.onnx_data` beside it.

    Args:
        graph: an `onnx.ModelProto` whose weights are loaded; they may be gone from it afterwards.
        folder: what is in it is removed.
    """
    onnx = import_onnx()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    size = sum(len(tensor.raw_data) for tensor in graph.graph.initializer)
    if size <= LARGEST_FILE:
        onnx.save(graph, str(folder / FILE))
        return
    onnx.save(
        graph,
        str(folder / FILE),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{FILE}_data",
    )
