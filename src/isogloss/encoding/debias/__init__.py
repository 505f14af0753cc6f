"""Cures that need no training: what tells languages apart is taken out of a model's vectors.

`cures` holds the arithmetic, `fitting` gets from a model and a corpus to a cure, `saved` keeps it in a model folder,
and `encoder` applies it.
"""
