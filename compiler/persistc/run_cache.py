"""Runs that need not be done again: `.persistc_cache` beside pyproject.toml keeps how a run ended and what it read.

A file there belongs to one command line in one working directory. It holds the outcome with every question that the
run asked the disk, and is good for as long as all of them have the same answers: files by their content and not by
their times, so that neither a checkout nor a clock can deceive. The compiler itself is among what it depends on: its
own files, the Python it runs on, the versions of libcst and jinja2. What cannot be read or written, is damaged or
comes from another version counts as not there; the folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from persistc import disk
from persistc.configuration import project_root
from persistc.disk import Listing, Record, digest_of, recording
from persistc.outcome import Outcome

FOLDER = ".persistc_cache"
FORMAT = 1
_MOST_ENTRIES = 50
"""Each command line has one; the oldest go."""
_NEEDED = ("libcst", "jinja2")
_OWN = ("persistc", "persistc_templates")
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of persistc: it may be deleted at any time.\n"


def remembered(command: Sequence[str], paths: Sequence[Path], run: Callable[[], Outcome]) -> Outcome:
    """The outcome of a run, from the cache when it would be the same.

    Args:
        command: Its name and all its options; two runs of the same differ only in what they find on the disk.
        paths: The files and folders it is about.
        run: Does it. It must depend on nothing but its options and the disk, asked through `persistc.disk`.

    Returns:
        What `run` returned now, or at another time when the disk was the same.
    """
    root = project_root(paths)
    compiler = _compiler() if root is not None else None
    if root is None or compiler is None:
        return run()
    question = json.dumps([*command, os.getcwd(), *map(str, paths)])
    entry = root / FOLDER / f"{digest_of(question.encode())[:32]}.json"
    known = _read(entry, compiler)
    if known is not None:
        return known
    with recording() as record:
        outcome = run()
    if not (record.is_torn or outcome.has_written):
        _keep(entry, compiler, outcome, record)
    return outcome


def _compiler() -> str | None:
    """What the same sources are compiled the same by; None when it could not run."""
    found = [find_spec(name) for name in (*_NEEDED, *_OWN)]
    origins = [spec.origin for spec in found if spec is not None and spec.origin is not None]
    if len(origins) < len(found):
        return None
    packages = [os.path.dirname(origin) for origin in origins]
    versions = [
        name
        for package in packages[: len(_NEEDED)]
        for name in sorted(os.listdir(os.path.dirname(package)))
        if name.lower().startswith(f"{os.path.basename(package)}-")
    ]
    own = [digest_of(disk.read_bytes(path)) for package in packages[len(_NEEDED) :] for path in _files(package)]
    return digest_of(json.dumps([FORMAT, sys.version, versions, own]).encode())


def _files(package: str) -> list[str]:
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(package)
        if os.path.basename(folder) != "__pycache__"
        for name in names
    ]
    return sorted(found)


def _read(entry: Path, compiler: str) -> Outcome | None:
    """The outcome of an entry that is whole, of this compiler, and still true."""
    try:
        seal, _, body = entry.read_bytes().partition(b"\n")
    except OSError:
        return None
    if seal != _seal(compiler, body):
        return None
    content = json.loads(body)
    listings = {path: Listing(tuple(folders), tuple(files)) for path, (folders, files) in content["listings"].items()}
    record = Record(content["files"], content["folders"], listings, content["contents"])
    return Outcome(content["text"], content["exit_code"]) if record.still_holds() else None


def _keep(entry: Path, compiler: str, outcome: Outcome, record: Record) -> None:
    """Write an entry in one atomic step, so that no process ever sees half of one."""
    content = {
        "text": outcome.text,
        "exit_code": outcome.exit_code,
        "files": record.files,
        "folders": record.folders,
        "listings": {path: (found.folders, found.files) for path, found in record.listings.items()},
        "contents": record.contents,
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):  # a folder that may not be written: then the next run takes as long as this one
        _prepare(entry.parent)
        _replace(entry, _seal(compiler, body) + b"\n" + body)
        _forget_oldest(entry.parent)


def _seal(compiler: str, body: bytes) -> bytes:
    return digest_of(compiler.encode() + body).encode()


def _prepare(folder: Path) -> None:
    """The folder, which neither git nor a backup takes along."""
    folder.mkdir(exist_ok=True)
    for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
        if not (folder / name).exists():
            _replace(folder / name, text.encode())


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _forget_oldest(folder: Path) -> None:
    entries = sorted(folder.glob("*.json"), key=lambda entry: entry.stat().st_mtime_ns)
    for entry in entries[:-_MOST_ENTRIES]:
        entry.unlink(missing_ok=True)
