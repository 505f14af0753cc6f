"""isogloss: measure and remove language bias in multilingual retrieval."""

from isogloss._version import __version__

__all__ = ["__version__"]
