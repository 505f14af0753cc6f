"""Versions into a corpus file or folder, as they come."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isogloss.corpus import Version, VersionWriter
from isogloss.corpus.version_writing import FORMS, check_form
from isogloss.errors import OutputError
from isogloss.files import refuse_existing


def refuse_output(path: Path, source: str) -> None:
    """Raise an error where a corpus cannot be written.

    Args:
        path: where to write it.
        source: the corpus that it is made of.

    Raises:
        OutputError: `path` has a suffix of no known form, is the source, or is a folder that is not empty.
    """
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path}: the corpus itself would be replaced; choose another --output")
    check_form(path)
    if path.name.endswith(FORMS):
        if path.is_dir():
            raise OutputError(f"{path}: is a folder; choose another --output")
        return
    refuse_existing(path)


def write_versions(versions: Iterable[Version], path: Path) -> None:
    """Write versions as a corpus, in the form that the name says, as they come.

    Raises:
        OutputError: it cannot be written.
    """
    with VersionWriter(path) as writer:
        for version in versions:
            writer.write(version)


def problems_path(output: Path) -> Path:
    """Return the side file of an output: `faq-es.failures.jsonl` beside `faq-es.jsonl` or the folder `faq-es`."""
    name = output.name
    for suffix in (".gz", ".jsonl", ".parquet"):
        name = name.removesuffix(suffix)
    return output.with_name(f"{name}.failures.jsonl")
