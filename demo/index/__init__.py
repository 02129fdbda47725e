"""One SQLite file per run: a row per rollout and per group, so that a page reads rows and never the run's files as a whole.

`schema` holds the tables, `build` reads `rollouts/<step>.jsonl` into them piece by piece, `read` answers the pages.
"""
