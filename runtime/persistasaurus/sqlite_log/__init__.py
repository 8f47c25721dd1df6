"""The execution log in a SQLite file. Nothing else in this package touches SQLite."""

from persistasaurus.sqlite_log.log import SqliteLog

__all__ = ["SqliteLog"]
