"""From paths to source files: what is searched, how each file is named, and its text."""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persistc import disk
from persistc.cannot_run import CannotRun
from persistc.configuration import Configuration
from persistc.diagnostics import Diagnostic
from persistc.findings_of_files import unreadable_source

OUTPUT_SUFFIX = "_durable"
OUTPUT_ENDINGS = (".py", ".pyi")
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
_SKIPPED_AT_ROOT = frozenset({"build", "dist"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file by its names."""

    path: str
    """Absolute."""
    file: str
    """As it is shown: with forward slashes, relative to the working directory when below it."""
    name: str
    """Its own in a run: the path below the project's root with dots, `.src.app.flows`. The leading dot keeps it
    apart from modules that are installed."""
    import_name: str
    """The one it is imported by: dotted from `src` or the topmost folder that has an `__init__.py`, `app.flows`."""
    in_package: bool
    """Its folder has an `__init__.py`."""

    @property
    def is_package(self) -> bool:
        return os.path.basename(self.path) == "__init__.py"

    @property
    def package(self) -> str:
        """The name of its folder, which is what a single leading dot of an import means."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


def source_file(path: str, root: str) -> SourceFile:
    """The names of a file; `root` is the folder of the project."""
    return SourceFile(
        path=path,
        file=shown(path),
        name=module_name(path, root),
        import_name=_import_name(path, root),
        in_package=disk.is_file(os.path.join(os.path.dirname(path), "__init__.py")),
    )


def _import_name(path: str, root: str) -> str:
    """Below `src` of the project it is known where imports begin; elsewhere at the topmost package."""
    src = os.path.join(root, "src")
    if path.startswith(os.path.join(src, "")):
        return module_name(path, src).removeprefix(".")
    folder, name = os.path.split(path)
    parts = [] if name == "__init__.py" else [name.removesuffix(".py")]
    while disk.is_file(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        parts.append(name)
    return ".".join(reversed(parts))


def module_name(path: str, root: str) -> str:
    """The name of a file or folder within a run."""
    below = path.removeprefix(root) if path.startswith(os.path.join(root, "")) else os.sep + path
    stem = below.removesuffix(".py").removesuffix(f"{os.sep}__init__")
    return stem.replace(os.sep, ".")


def module_stem(name: str, root: str) -> str:
    """The path, without `.py`, that a name given by `module_name` was made of."""
    return name[1:].replace(".", os.sep) if name.startswith("..") else root + name.replace(".", os.sep)


def module_path(name: str, root: str) -> str | None:
    """The file that bears a name given by `module_name`, if there is one."""
    stem = module_stem(name, root)
    return next((path for path in (f"{stem}.py", os.path.join(stem, "__init__.py")) if disk.is_file(path)), None)


def shown(path: str) -> str:
    """A path as messages show it."""
    here = os.path.join(os.getcwd(), "")
    return path.removeprefix(here).replace(os.sep, "/")


@dataclass(frozen=True, slots=True)
class Found:
    """What stands below the paths that were searched."""

    sources: tuple[SourceFile, ...]
    outputs: tuple[str, ...]
    """Files with the name of an output, absolute: ours, or a user's file of such a name."""


def find_sources(paths: Sequence[Path], configuration: Configuration) -> Found:
    """The Python files below the paths, or below `source` of the configuration when none are given.

    Folders that are hidden, virtual environments or build results are passed by. Raises `CannotRun` for a path that
    does not exist or is no Python file.
    """
    root = os.path.abspath(configuration.root)
    sources: dict[str, SourceFile] = {}
    outputs: set[str] = set()
    for path in paths or configuration.source:
        for file in _files(os.path.abspath(path), root):
            if output_stem(file) is not None:
                outputs.add(file)
            elif file.endswith(".py"):
                sources.setdefault(file, source_file(file, root))
                outputs.update(existing for existing in outputs_of(file) if disk.is_file(existing))
    return Found(sources=tuple(sources[path] for path in sorted(sources)), outputs=tuple(sorted(outputs)))


def outputs_of(path: str) -> tuple[str, str]:
    """The two files generated from a source: `flows.py` gives `flows_durable.py` and `flows_durable.pyi`."""
    folder, name = os.path.split(path)
    stem = name.removesuffix(".py")
    if stem.startswith("__") and stem.endswith("__"):
        stem = stem.strip("_")  # `__init___durable` would be a module nobody wants to import
    first, second = (os.path.join(folder, f"{stem}{OUTPUT_SUFFIX}{ending}") for ending in OUTPUT_ENDINGS)
    return first, second


def output_stem(path: str) -> str | None:
    """The path up to `_durable` when a file has the name of an output."""
    for ending in OUTPUT_ENDINGS:
        if path.endswith(OUTPUT_SUFFIX + ending):
            return path.removesuffix(OUTPUT_SUFFIX + ending)
    return None


def read_text(source: SourceFile) -> str | Diagnostic:
    """The text of a source in the encoding it declares, or why it cannot be read."""
    try:
        data = disk.read_bytes(source.path)
    except OSError as error:
        return unreadable_source(source.file, error.strerror or str(error))
    return text_of(data, source)


def text_of(data: bytes, source: SourceFile) -> str | Diagnostic:
    """The text of a source that has these bytes, or why they are none."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        return unreadable_source(source.file, str(error))


def may_mention(source: SourceFile, word: str) -> bool:
    """Whether a source that is no text may say a word: it does, or its bytes cannot be read either."""
    try:
        return word.encode() in disk.read_bytes(source.path)
    except OSError:
        return True


def _files(path: str, root: str) -> Iterator[str]:
    if disk.is_file(path):
        if not path.endswith(".py"):
            raise CannotRun(f"{shown(path)} is not a Python source file: name a `.py` file or a folder")
        if output_stem(path) is not None:
            raise CannotRun(f"{shown(path)} has the name of a generated file: name the file it is generated from")
        yield path
        return
    if not disk.is_folder(path):
        raise CannotRun(f"{shown(path)} does not exist")
    yield from _files_below(path, root)


def _files_below(folder: str, root: str) -> Iterator[str]:
    found = disk.listing(folder)
    yield from (os.path.join(folder, name) for name in found.files)
    for name in found.folders:
        if not _is_skipped(folder, name, root):
            yield from _files_below(os.path.join(folder, name), root)


def _is_skipped(folder: str, name: str, root: str) -> bool:
    if name in _SKIPPED or (folder == root and name in _SKIPPED_AT_ROOT):
        return True
    return disk.is_file(os.path.join(folder, name, "pyvenv.cfg"))
