"""The card of an exported model: the original's, and a section on the export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HEADER = "---\nlibrary_name: sentence-transformers\npipeline_tag: sentence-similarity\n---\n"


def write_card(source: Path, folder: Path, record: Mapping[str, Any]) -> None:
    """Write `README.md`, whose header stays the original's: it says what the model was trained on.

    Args:
        source: the original's folder, if it is one.
        folder: the export's.
        record: what `export.json` will say.
    """
    try:
        card = (source / "README.md").read_text(encoding="utf-8").rstrip() + "\n"
    except (OSError, UnicodeDecodeError):
        card = _HEADER
    (folder / "README.md").write_text(f"{card}\n{_section(record)}", encoding="utf-8")


def _section(record: Mapping[str, Any]) -> str:
    arithmetic = record["quantize"] or "float32"
    cosine = record["cosine"][arithmetic]
    weights = "8-bit weights" if record["quantize"] else "float32 weights"
    return (
        f"## ONNX export\n\nThis folder holds no torch weights, but `{record['graph']}` with {weights}, exported by"
        f" isogloss {record['isogloss']}. Cosine with the original's vectors over {record['texts']} texts in"
        f" {len(record['languages'])} languages: {cosine['lowest']:.5f} at least, {cosine['mean']:.5f} in the mean."
        " More in `export.json`.\n"
    )
