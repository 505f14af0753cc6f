"""Passages from files and folders, whatever their form.

find_files: which are meant;  name_files: what they are called in an index;  passages_of: what is in them
"""

from isogloss.search.sources.files import FORMS, FoundFiles, NamedFiles, find_files, name_files
from isogloss.search.sources.reading import passages_of

__all__ = ["FORMS", "FoundFiles", "NamedFiles", "find_files", "name_files", "passages_of"]
