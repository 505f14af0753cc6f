"""Models in other forms, held against the original before they are put in place."""
