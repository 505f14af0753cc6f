"""The engines: one module each, opened by name."""
