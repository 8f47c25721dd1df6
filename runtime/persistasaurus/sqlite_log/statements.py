"""Named statements from the `.sql` files of this package.

A file holds statements, each under a line `-- name: ...`; other comment lines are for the reader.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

_SQL: Final = files(__package__) / "sql"
_NAME: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*--.*\n?", re.MULTILINE)


def load(file_name: str) -> dict[str, str]:
    """The statements of one file, by name, without comments."""
    _, *parts = _NAME.split((_SQL / file_name).read_text("utf-8"))
    return {
        name: _COMMENT.sub("", text).strip().rstrip(";") for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def in_one_row(statement: str) -> str:
    """The same SELECT, its rows gathered in one JSON array of arrays.

    Python's sqlite3 lets go of the interpreter lock and takes it again for every row it fetches; beside a busy thread
    that costs milliseconds a row.
    """
    columns = statement.removeprefix("SELECT").partition("\nFROM")[0]
    return f"SELECT json_group_array(json_array({columns})) FROM ({statement})"


def migrations() -> list[str]:
    """The scripts that make the schema: the first makes version 1, each of the others one version of the one before."""
    folder = _SQL / "migrations"
    scripts = sorted((path for path in folder.iterdir() if path.name.endswith(".sql")), key=lambda path: path.name)
    return [path.read_text("utf-8") for path in scripts]
