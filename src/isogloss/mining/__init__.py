"""Hard negatives, mined with an encoder within and across languages."""
