"""Die in the first transaction of a database, leaving a journal that has to be rolled back: PATH."""

from __future__ import annotations

import os
import sqlite3
import sys


def main(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE half (made TEXT)")
    connection.executemany("INSERT INTO half VALUES (?)", [("x" * 1000,)] * 1000)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
