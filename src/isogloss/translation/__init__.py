"""A corpus into more languages: sentence by sentence, by any engine, each sentence once."""
