"""Readers of training data in the forms in which they are published, one record after the other."""
