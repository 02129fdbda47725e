"""The tables of the index, and where its file lies."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

VERSION = 1
FOLDER, FILE = ".index", "rollouts.sqlite"
BUSY_SECONDS = 30.0
CACHE_KIB = 32_768

TABLES = """
CREATE TABLE files (
  step INTEGER PRIMARY KEY, inode INTEGER, size INTEGER, changed INTEGER, done INTEGER, lines INTEGER, tail INTEGER
) WITHOUT ROWID;
CREATE TABLE steps (
  step INTEGER PRIMARY KEY, groups INTEGER, rollouts INTEGER, "right" INTEGER, wrong INTEGER, equal INTEGER, unscored INTEGER,
  cut INTEGER, reward REAL, length REAL, failures TEXT
) WITHOUT ROWID;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER, line INTEGER, offset INTEGER, length INTEGER,
  sample TEXT, task TEXT, question TEXT, count INTEGER, mean REAL, spread REAL, kind TEXT, rewards TEXT
);
CREATE TABLE rollouts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER, line INTEGER, place INTEGER, task TEXT, reward REAL, advantage REAL,
  tokens INTEGER, finish TEXT, correct INTEGER, failure TEXT, flat INTEGER, items INTEGER, digest INTEGER
);
CREATE TABLE parts (name TEXT PRIMARY KEY, position INTEGER) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5(text, content='', detail=full, tokenize='unicode61');
CREATE INDEX groups_by_step ON groups (step, line);
CREATE INDEX rollouts_by_step ON rollouts (step, line, place);
"""
"""`files`: how far each file was read. `steps`: sums per step, written once its file was read to its end. `rollouts` has one more
column `part_<n>` for each named part of the score. `texts` has the words of the completions, under the rollouts' ids."""

MOST_PARTS = 60
"""Parts beyond these are in the records, but no column."""


def index_path(run: Path) -> Path:
    """`<run>/.index/rollouts.sqlite`, or a file in the user's cache folder where the run folder cannot be written."""
    folder = run / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder / FILE
    except OSError:
        pass
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:16]
    folder = cache / "vlrl" / "index" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / FILE


def connect(path: Path) -> sqlite3.Connection:
    """An open index. One of another version, or one that is damaged, is made anew: everything in it stands in the run."""
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        remove(path)
        return _opened(path)


def remove(path: Path) -> None:
    """Deletes an index with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("BEGIN IMMEDIATE")
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found != VERSION:
        _drop_all(db)
        for statement in TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    return db


def _drop_all(db: sqlite3.Connection) -> None:
    names = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage = 0 DESC"
    )
    for (name,) in names.fetchall():
        db.execute(f"DROP TABLE IF EXISTS {name}")
