"""`persistc init`: the places where a project says that it has generated files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from persistc.cannot_run import CannotRun
from persistc.configuration import PYPROJECT
from persistc.run_cache import FOLDER

ATTRIBUTES = "*_durable.py* linguist-generated=true"
HOOK = """\
- repo: local
  hooks:
    - id: persistc-check
      name: persistc check
      entry: persistc check
      language: system
      pass_filenames: false
      always_run: true
"""
_INDENTED = indent(HOOK, "  ")
_PRE_COMMIT = ".pre-commit-config.yaml"


def set_up(folder: Path) -> Iterator[str]:
    """Add what is missing, keep everything else as it is, and tell line by line what was done.

    Raises `CannotRun` when a file cannot be read or written.
    """
    try:
        yield _add_table(folder / PYPROJECT)
        yield _add_attributes(folder / ".gitattributes")
        yield _add_ignored(folder / ".gitignore")
        yield _add_hook(folder / _PRE_COMMIT)
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(str(error)) from None


def _add_table(path: Path) -> str:
    text = _read(path)
    try:
        tools = tomllib.loads(text).get("tool", {})
        if isinstance(tools, dict) and "persistc" in tools:
            return f"{path.name}: has [tool.persistc] already"
        changed = _appended(text, f'[tool.persistc]\nsource = ["{_source(path.parent)}"]\n', separated=bool(text))
        tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise CannotRun(f"{path.name} cannot be extended ({error}): add a table [tool.persistc] by hand") from None
    _write(path, changed)
    return f"{path.name}: added [tool.persistc]"


def _source(folder: Path) -> str:
    return "src" if (folder / "src").is_dir() else "."


def _add_attributes(path: Path) -> str:
    text = _read(path)
    if ATTRIBUTES in text.splitlines():
        return f"{path.name}: marks generated files already"
    _write(path, _appended(text, f"{ATTRIBUTES}\n", separated=False))
    return f"{path.name}: generated files are folded in reviews on GitHub"


def _add_ignored(path: Path) -> str:
    text = _read(path)
    if any(line.strip("/ ") == FOLDER for line in text.splitlines()):
        return f"{path.name}: leaves out {FOLDER} already"
    _write(path, _appended(text, f"{FOLDER}/\n", separated=False))
    return f"{path.name}: leaves out {FOLDER}, also from an sdist"


def _add_hook(path: Path) -> str:
    text = _read(path)
    if "persistc" in text:
        return f"{path.name}: has the hook already"
    if text:
        # Where in a YAML file a list goes on is the author's business.
        return f"{path.name}: {_shown_for(text)}"
    _write(path, f"repos:\n{_INDENTED}")
    return f"{path.name}: runs `persistc check` before each commit"


def _shown_for(text: str) -> str:
    """The hook to paste into a configuration, as far in as the hooks that are there."""
    listed = re.search(r"^repos:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*(?P<indent> *)- ", text, re.MULTILINE)
    if listed is not None:
        return f"add this at the end of `repos:`\n\n{indent(HOOK, listed['indent'])}"
    if re.search(r"^repos:", text, re.MULTILINE):
        return f"write this in place of the empty `repos:`\n\nrepos:\n{_INDENTED}"
    return f"add this\n\nrepos:\n{_INDENTED}"


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def _appended(text: str, addition: str, *, separated: bool) -> str:
    """The text with an addition at its end, in its own kind of line ends."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += line_end
    if separated and text:
        text += line_end
    return text + addition.replace("\n", line_end)
