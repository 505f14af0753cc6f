"""HTML pages from templates that lie in the package; every text that is put in is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


def packaged_text(name: str) -> str:
    """Read a file of the package, "reporting/audit/page.css"."""
    return (files("isogloss") / name).read_text(encoding="utf-8")


def render(template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]]) -> str:
    """Fill in a template.

    Args:
        template: its name in the package; it may import "reporting/table.html.jinja".
        values: what it names; one that is missing is an error.
        filters: further filters.
    """
    environment = Environment(
        loader=FunctionLoader(packaged_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    return environment.get_template(template).render(values)
