"""A transformer in 8-bit arithmetic, in the place of the torch one, by OpenVINO.

The transformer is traced, its weights are put into 8 bits, and the result answers in the transformer's stead: the
tokenizer before it and the pooling after it stay those of the sentence-transformers model. Converting takes seconds,
so nothing is kept on disk.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from isogloss.encoding.int8_weights import compress_weights
from isogloss.encoding.last_hidden_state import EXAMPLE, LastHiddenState, inputs_of, transformer_of
from isogloss.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ACTIVATION_GROUP = 64
"""Neighbouring values of an activation that are rounded by one scale: decided on `sample:dev`, see docs/log.md."""

_EXAMPLES = (EXAMPLE, ["x"], ["a b c d e f g h", "ij kl", "", "m"])


def convert_to_int8(model: SentenceTransformer, name: str) -> None:
    """Replace a model's transformer by one in 8-bit arithmetic, in place; the torch weights are let go.

    Args:
        model: on the CPU; its first module is a transformer whose output is its last hidden state.
        name: what to call it in errors.

    Raises:
        ModelError: OpenVINO is not installed, the model has another shape, or it cannot be traced.
    """
    openvino = import_openvino()
    transformer = transformer_of(model, name, "int8", "use --precision float32")
    torch_model = transformer.model.float().eval()
    try:
        converted = _convert(torch_model, inputs_of(transformer, _EXAMPLES[0]))
        _check(openvino, converted, torch_model, [inputs_of(transformer, texts) for texts in _EXAMPLES])
    except (RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name}: the model cannot be converted to int8: {reason}; use --precision float32"
        ) from error
    compress_weights(converted)
    transformer.model = _OpenVINOModel(openvino, converted, torch_model.config)


def import_openvino(what: str = "--precision int8", extra: str = "int8") -> Any:
    """Import OpenVINO without its telemetry, which would report the import to its makers.

    Args:
        what: needs it, for the error.
        extra: the extra of isogloss that brings it.

    Raises:
        ModelError: it is not installed.
    """
    # None makes the import of that package fail, which OpenVINO provides for.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise ModelError(
            f"{what} needs OpenVINO ({error}); install it with: pip install 'isogloss[{extra}]'"
        ) from error
    return openvino


class _OpenVINOModel(nn.Module):
    """Answers as the Hugging Face model did, as far as sentence-transformers asks."""

    def __init__(self, openvino: Any, model: Any, config: Any) -> None:
        super().__init__()
        self.config = config
        self._names = [port.get_any_name() for port in model.inputs]
        self._compiled = openvino.Core().compile_model(
            model,
            "CPU",
            {**processor_settings(), "DYNAMIC_QUANTIZATION_GROUP_SIZE": ACTIVATION_GROUP},
        )
        self._request = self._compiled.create_infer_request()

    def forward(self, **features: Any) -> dict[str, Tensor]:
        """Return the last hidden state of features of shape (texts, tokens): float32, (texts, tokens, hidden)."""
        inputs = {name: features[name].numpy() for name in self._names}
        output = self._request.infer(inputs, share_inputs=True, share_outputs=True)[0]
        # The request writes its next output into the same memory.
        return {"last_hidden_state": torch.from_numpy(output.copy())}


def processor_settings() -> dict[str, Any]:
    """Return OpenVINO's settings for float32 on torch's number of threads."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }


def _convert(torch_model: nn.Module, inputs: dict[str, Tensor]) -> Any:
    # `openvino.convert_model` does the same, with telemetry.
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    traced = LastHiddenState(torch_model, list(inputs))
    with warnings.catch_warnings():
        # What a trace may get wrong is checked afterwards.
        warnings.simplefilter("ignore")
        # The front end does not keep the decoder alive: it needs a name.
        decoder = TorchScriptPythonDecoder(traced, example_input=tuple(inputs.values()))
        model = frontend.convert(frontend.load(decoder))
    for port, name in zip(model.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    return model


def _check(openvino: Any, converted: Any, torch_model: nn.Module, examples: list[dict[str, Tensor]]) -> None:
    """Compare with torch on other shapes than those traced: a trace may have taken a shape for a constant.

    Raises:
        ValueError: they differ.
    """
    compiled = openvino.Core().compile_model(converted, "CPU", processor_settings())
    for inputs in examples:
        output = torch.from_numpy(compiled({name: value.numpy() for name, value in inputs.items()})[0])
        with torch.inference_mode():
            expected = torch_model(**inputs).last_hidden_state
        real = inputs["attention_mask"].bool()
        if not torch.allclose(output[real], expected[real], rtol=1e-3, atol=1e-3):
            raise ValueError("the traced model's output differs from the model's")
