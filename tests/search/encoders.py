"""A model for tests: words hashed into directions, so that texts with common words are near."""

import hashlib

import numpy as np


class WordsEncoder:
    """Encodes a text as the sum of its words' random directions; counts what it is given."""

    def __init__(self, dimension=16, seed=0, languages=False):
        self.name = f"words-{dimension}-{seed}"
        self.dimension = dimension
        self.seed = seed
        self.encoded = []
        if languages:
            self.uses_languages = True

    def encode(self, texts, side, progress=None, *, languages=None):
        if side == "passage":
            self.encoded.extend(texts)
        rows = [self._vector(text) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.dimension)

    def _vector(self, text):
        total = np.zeros(self.dimension)
        for word in text.lower().split():
            digest = hashlib.sha256(f"{self.seed} {word}".encode()).digest()
            total += np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal(self.dimension)
        return total / (np.linalg.norm(total) or 1.0)

    def describe(self):
        return {
            "name": self.name,
            "query_prompt": "",
            "passage_prompt": "",
            "max_length": None,
            "dimension": self.dimension,
            "precision": "float32",
            "device": "cpu",
        }
