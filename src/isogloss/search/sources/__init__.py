"""Passages from files and folders, whatever their form."""

from isogloss.search.sources.reading import FORMS, passages_of

__all__ = ["FORMS", "passages_of"]
