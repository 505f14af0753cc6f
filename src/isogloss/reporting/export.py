"""An export beside the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.reporting.tables import SETTING_NAMES, Table, figure


def export_tables(record: Mapping[str, Any]) -> list[Table]:
    """Tables of what `export.json` says: of vectors and sizes, and of the figures on a benchmark if there are any."""
    cosines = Table(
        f"cosine with the original over {record['texts']} texts in {len(record['languages'])} languages",
        ("ONNX", "lowest", "mean", "MB"),
        tuple(
            (
                name,
                figure(cosine["lowest"], 6),
                figure(cosine["mean"], 6),
                f"{record['bytes'][name] / 1e6:,.1f}",
            )
            for name, cosine in record["cosine"].items()
        ),
    )
    check = record["check"]
    if check is None:
        return [cosines]
    columns = ["original", *record["cosine"]]
    rows = [
        _row(f"{name} mAP", [check[column]["map"][setting] for column in columns], 4)
        for setting, name in SETTING_NAMES.items()
    ]
    rows.append(_row("rank distance", [check[column]["rank_distance"] for column in columns], 1))
    header = ("", "original", *(f"ONNX {name}" for name in record["cosine"]), "change")
    return [cosines, Table(f"on {check['data']}", header, tuple(rows))]


def _row(name: str, values: list[float | None], decimals: int) -> tuple[str, ...]:
    """The values, and the last one's difference from the first."""
    first, last = values[0], values[-1]
    change = None if first is None or last is None else last - first
    return (name, *(figure(one, decimals) for one in values), figure(change, decimals, signed=True))
