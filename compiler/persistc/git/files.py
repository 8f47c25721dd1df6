"""A file as git knows it: its bytes at a commit, under the name it had there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from persistc.cannot_run import CannotRun
from persistc.git.repository import GitRefused, commit_of, git, top_of
from persistc.sources import shown


@dataclass(frozen=True, slots=True)
class FileAtRef:
    """A file of the repository as it was."""

    path: str
    """Absolute, where it stood."""
    ref: str
    """What was asked for: a branch, a tag, a commit."""
    data: bytes
    changed: frozenset[str]
    """The files of the repository that have changed since, absolute and without symbolic links."""


def file_at(path: str, ref: str) -> FileAtRef:
    """A file of the working tree as it was at a ref, also where git finds that it had another name there.

    Raises `CannotRun` without git, outside of a repository, for an unknown ref and for a file that is not in it.
    """
    root = top_of(os.path.dirname(path), path)
    sha = commit_of(ref, root)
    name = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
    for candidate in (name, _earlier_name(root, sha, name)):
        data = None if candidate is None else _or_nothing(root, "cat-file", "blob", f"{sha}:{candidate}")
        if candidate is not None and data is not None:
            return FileAtRef(_below(root, candidate), ref, data, _changed(root, sha))
    raise CannotRun(
        f"{shown(path)} is not in {ref}, not under another name either: name a commit that has it, such as "
        f"`--ref HEAD~3`; a file that was never committed has no earlier versions"
    )


def _earlier_name(root: str, commit: str, name: str) -> str | None:
    """The name a file had before it was renamed, as git guesses it from what is in the files."""
    found = _or_nothing(root, "diff", "--name-status", "-z", "--find-renames", "--diff-filter=R", commit, "--")
    entries = iter([] if found is None else os.fsdecode(found).split("\0"))
    for _ in entries:  # R087, the old name, the new one
        old, new = next(entries, ""), next(entries, "")
        if new == name:
            return old
    return None


def _changed(root: str, commit: str) -> frozenset[str]:
    found = _or_nothing(root, "diff", "--name-only", "-z", commit, "--")
    return frozenset(_below(root, name) for name in os.fsdecode(found or b"").split("\0") if name)


def _below(root: str, name: str) -> str:
    return os.path.join(root, *name.split("/"))


def _or_nothing(folder: str, *arguments: str) -> bytes | None:
    try:
        return git(folder, *arguments)
    except GitRefused:
        return None
