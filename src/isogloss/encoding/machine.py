"""What timings depend on: the processor, its cores, the memory, the GPU; no name of a host and no path."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Describe this machine, and how many threads torch uses, in JSON's types."""
    described: dict[str, Any] = {
        "processor": _processor(),
        "cores": _cores(),
        "memory_gib": _memory_gib(),
    }
    # Only where it is loaded already: loading it takes seconds.
    if (torch := sys.modules.get("torch")) is not None:
        described["torch_threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            described["gpu"] = torch.cuda.get_device_name()
    return described


def machine_line(described: Mapping[str, Any]) -> str:
    """Write `machine()` in a line."""
    parts = [str(described["processor"]), f"{described['cores']} cores"]
    if (memory := described["memory_gib"]) is not None:
        parts.append(f"{memory:.0f} GiB")
    if (threads := described.get("torch_threads")) is not None:
        parts.append(f"{threads} {'thread' if threads == 1 else 'threads'} in torch")
    if (gpu := described.get("gpu")) is not None:
        parts.append(str(gpu))
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1)
    except (AttributeError, OSError, ValueError):
        return None
