"""The tables of an index's SQLite file."""

TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL,
    id TEXT NOT NULL,
    said_language TEXT NOT NULL,
    language TEXT NOT NULL,
    title TEXT,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    digest BLOB NOT NULL,
    position INTEGER NOT NULL
);
CREATE UNIQUE INDEX live_passages ON passages (id, said_language) WHERE state = 1;
CREATE UNIQUE INDEX staged_passages ON passages (id, said_language) WHERE state = 0;
CREATE INDEX live_languages ON passages (language) WHERE state = 1;
CREATE INDEX dead_passages ON passages (row) WHERE state = 2;
CREATE TABLE vectors (text BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE seen (id TEXT NOT NULL, said_language TEXT NOT NULL, PRIMARY KEY (id, said_language)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (stems, tokenize = "ascii tokenchars '_'");
"""
