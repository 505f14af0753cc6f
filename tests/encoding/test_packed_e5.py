"""The reader of packed models: the arithmetic against a loop, a file written here, and files that are damaged."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isogloss.encoding.packed_e5 import PackedModel, dequantise_q4_0, read_packed_model
from isogloss.errors import ModelError
from tests.encoding import packed_file


def slow_dequantise(block: bytes) -> list[float]:
    (scale,) = struct.unpack("<e", block[:2])
    weights = [0.0] * 32
    for j in range(16):
        weights[j] = (block[2 + j] % 16 - 8) * scale
        weights[j + 16] = (block[2 + j] // 16 - 8) * scale
    return weights


@given(arrays(np.uint8, st.tuples(st.integers(0, 5), st.just(18))))
def test_dequantisation_agrees_with_a_loop(blocks):
    blocks[:, 1] &= 0xBF  # keeps the scale's exponent from saying infinite or not a number
    expected = [weight for block in blocks for weight in slow_dequantise(block.tobytes())]
    weights = dequantise_q4_0(blocks)
    assert weights.dtype == np.float32
    assert weights.shape == (len(blocks) * 32,)
    np.testing.assert_array_equal(weights, np.array(expected, dtype=np.float32))


def test_known_block():
    block = struct.pack("<e", 0.5) + bytes([0x80, 0x0F] + [0x88] * 14)
    weights = dequantise_q4_0(np.frombuffer(block, np.uint8)[None])
    assert weights[:3].tolist() == [-4.0, 3.5, 0.0]
    assert weights[16:19].tolist() == [0.0, -4.0, 0.0]


@pytest.fixture(scope="module")
def contents() -> bytes:
    return packed_file.packed_bytes(packed_file.random_tensors())


@pytest.fixture
def read(tmp_path):
    def read_contents(contents: bytes) -> PackedModel:
        path = tmp_path / "model.bin"
        path.write_bytes(contents)
        return read_packed_model(path)

    return read_contents


def test_a_written_file_is_read_back(read, contents):
    packed = read(contents)
    shape = packed.shape
    assert (shape.hidden, shape.layers, shape.heads, shape.feed_forward) == (32, 2, 4, 64)
    assert (shape.vocabulary, shape.positions, shape.token_types) == (len(packed_file.PIECES), 40, 2)
    assert shape.layer_norm_epsilon == pytest.approx(1e-12)
    assert packed.vocabulary.pieces == list(zip(packed_file.PIECES, packed_file.SCORES, strict=True))
    special = packed.vocabulary
    assert (special.bos, special.pad, special.eos, special.unk) == (0, 1, 2, 3)
    assert packed.normalisation == packed_file.NORMALISATION
    written = packed_file.random_tensors()
    assert packed.tensors.keys() == written.keys()
    for name, values in written.items():
        read_back = packed.tensors[name].reshape(values.shape)
        if packed_file.is_quantised(name):
            # Half a step of 1/7 of the largest weight, and what the scale lost in half precision.
            np.testing.assert_allclose(read_back, values, atol=np.abs(values).max() / 7 * 0.51)
        else:
            np.testing.assert_array_equal(read_back, values)


def test_a_file_cut_short_anywhere_is_refused(read, contents):
    head = contents.index(b"emb.word")
    for length in [*range(4, head, 7), *range(head, len(contents), len(contents) // 40), len(contents) - 1]:
        with pytest.raises(ModelError, match=r"model\.bin: the packed model is cut short or damaged"):
            read(contents[:length])


@pytest.mark.parametrize("contents", [b"", b"E5", b"PK\x03\x04 a zip file", b"GGUF" + bytes(100)])
def test_wrong_magic(read, contents):
    with pytest.raises(ModelError, match="not a packed e5 model"):
        read(contents)


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot read the packed model: No such file"):
        read_packed_model(tmp_path / "none.bin")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"block": 64}, "blocks of 64 weights"),
        ({"bos": 999}, "the bos piece is number 999 of 19"),
        ({"bos": -1}, "the bos piece is number -1"),
        ({"tensor_type": 9}, "unknown type 9"),
        ({"tensor_type": 0}, "cut short or damaged"),
        ({"normalisation": {"\0": "a"}}, r"U\+0000 is no character"),
        ({"normalisation": {"a": "\ud800"}}, r"U\+D800 is no character"),
    ],
)
def test_damage_is_named(read, damage, message):
    with pytest.raises(ModelError, match=message):
        read(packed_file.packed_bytes(packed_file.random_tensors(), **damage))


def test_a_scale_that_is_no_number(read, contents):
    start = contents.index(packed_file.quantise(packed_file.random_tensors()["l1.q.w"]))
    for scale in (np.nan, np.inf):
        with pytest.raises(ModelError, match=r"tensor l1\.q\.w has values that are no numbers"):
            read(contents[:start] + struct.pack("<e", scale) + contents[start + 2 :])


@settings(max_examples=300, deadline=None)
@given(position=st.integers(4, 2000), value=st.binary(min_size=1, max_size=8))
def test_any_damage_gives_a_model_or_a_model_error(tmp_path_factory, contents, position, value):
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    path.write_bytes(contents[:position] + value + contents[position + len(value) :])
    try:
        packed = read_packed_model(path)
    except ModelError:
        return
    assert packed.vocabulary.pieces[packed.vocabulary.bos]
