"""The bundled sample: questions and answers in eight languages, for those who have no data yet (CC0)."""

from __future__ import annotations

from pathlib import Path

from isogloss.errors import CorpusError

SPLITS = ("train", "dev", "test")
PREFIX = "sample:"

_FOLDER = Path(__file__).parent / "sample"


def sample_path(split: str) -> Path:
    """The file of a split of the bundled sample: `train`, `dev` or `test`.

    Raises:
        CorpusError: there is no such split, or the installed package lacks its file.
    """
    if split not in SPLITS:
        raise CorpusError(f"the sample has no split {split!r}; use sample:train, sample:dev or sample:test")
    path = _FOLDER / f"{split}.jsonl"
    if not path.is_file():
        raise CorpusError(f"{path}: the sample is missing from this installation; install isogloss again")
    return path
