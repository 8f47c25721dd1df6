"""What `[tool.persistc]` in pyproject.toml says, and where the project begins."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from persistc import disk
from persistc.cannot_run import CannotRun

PYPROJECT = "pyproject.toml"
KEYS = ("source",)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a run; without a table the whole project is searched."""

    root: Path
    """The folder of pyproject.toml, or the one searched when there is none."""
    source: tuple[Path, ...]
    """Files and folders to search for flow classes, absolute."""


def read_configuration(paths: Sequence[Path]) -> Configuration:
    """The settings that apply to these paths (none: to the working directory): those of the nearest pyproject.toml.

    It is looked for upwards from the first path and not from the working directory, so that the same file is
    compiled to the same bytes wherever persistc is called. Raises `CannotRun` for a table that is wrong.
    """
    folder = _start(paths)
    root = _root(folder)
    return _read(root) if root is not None else Configuration(root=folder, source=(folder,))


def project_root(paths: Sequence[Path]) -> Path | None:
    """The folder of the pyproject.toml that applies to these paths; None if there is none."""
    return _root(_start(paths))


def _start(paths: Sequence[Path]) -> Path:
    start = paths[0].absolute() if paths else Path.cwd()
    return start if disk.is_folder(str(start)) else start.parent


def _root(start: Path) -> Path | None:
    return next((folder for folder in (start, *start.parents) if disk.is_file(str(folder / PYPROJECT))), None)


def _read(root: Path) -> Configuration:
    pyproject = root / PYPROJECT
    try:
        document = tomllib.loads(disk.read_bytes(str(pyproject)).decode("utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{pyproject} cannot be read: {error}") from None
    tools = document.get("tool", {})
    table = tools.get("persistc", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise CannotRun(f"{pyproject}: `tool.persistc` must be a table: write `[tool.persistc]`")
    for key in table:
        if key not in KEYS:
            raise CannotRun(f"{pyproject}: unknown key `{key}` in `[tool.persistc]`{_suggestion(key)}")
    return Configuration(root=root, source=_source(pyproject, table.get("source")))


def _source(pyproject: Path, value: object) -> tuple[Path, ...]:
    if value is None:
        return (pyproject.parent,)
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        raise CannotRun(f'{pyproject}: `source` in `[tool.persistc]` must be a list of paths: `source = ["app"]`')
    found = tuple(pyproject.parent / entry for entry in value)
    for entry, path in zip(value, found, strict=True):
        if not (disk.is_file(str(path)) or disk.is_folder(str(path))):
            raise CannotRun(f"{pyproject}: `source` in `[tool.persistc]` names `{entry}`, and {path} does not exist")
    return found


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), KEYS, n=1, cutoff=0.5)
    return f": did you mean `{near[0]}`?" if near else f"; known: {', '.join(f'`{known}`' for known in KEYS)}"
