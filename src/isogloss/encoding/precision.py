"""In which arithmetic a model encodes, and where a narrower one is faster.

float32    the reference
bfloat16   matrix products in bfloat16, by autocast: pays on GPUs and on processors with AMX
int8       a copy of the transformer with 8-bit weights and activations: pays on processors with 8-bit dot products
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from isogloss.errors import RecipeError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def check_precision(precision: str, device: str | None) -> Precision:
    """Return a precision; refuse one that there is not, or that the device asked for has not.

    Raises:
        RecipeError: says which there are.
    """
    known = next((one for one in PRECISIONS if one == precision), None)
    if known is None:
        raise RecipeError(f"precision: {precision!r} is none of {', '.join(PRECISIONS)}")
    if precision == "int8" and device is not None and not device.startswith("cpu"):
        raise RecipeError(
            f"precision: int8 runs on the processor, not on {device}; leave the device out, or take bfloat16"
        )
    return known


def bfloat16_pays(device: torch.device) -> bool:
    """Tell whether bfloat16 is faster than float32 on a device.

    On processors it takes AMX: those with AVX-512 alone, its bfloat16 instructions included, were measured no faster in
    bfloat16 than in float32.
    """
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # Older torch cannot say; then the answer is the cautious one.
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("amx_bf16", False))
    return True
