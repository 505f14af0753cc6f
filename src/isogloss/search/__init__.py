"""Index passages and search them, in every language at once.

    sources -> passage -> store (SQLite: passages, words, files) + vector_file -> backend (exact, Milvus)
    indexing: brings an index up to date;  searcher: asks it

The names below are what users of the library need.
"""

from isogloss.search.folder import IndexSettings
from isogloss.search.hit import Hit
from isogloss.search.indexing import IndexWriter, Updated
from isogloss.search.passage import Passage
from isogloss.search.searcher import Searcher

__all__ = ["Hit", "IndexSettings", "IndexWriter", "Passage", "Searcher", "Updated"]
