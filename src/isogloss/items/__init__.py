"""What planning has to know of the items of a corpus, in forms that stay on disk however many items there are.

`Availability` says which item exists in which language, `ItemGroups` which items share a text. Both are plain
arrays that may be memory-mapped: nothing here looks at all items but what makes them once.
"""

from isogloss.items.availability import Availability
from isogloss.items.groups import ItemGroups

__all__ = ["Availability", "ItemGroups"]
