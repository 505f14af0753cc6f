"""OpenAI-compatible servers: where they are, and requests that are patient."""
