"""A file as git knows it: its bytes at a commit, under the name it had there."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from persistc.cannot_run import CannotRun
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
    folder = os.path.dirname(path)
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise CannotRun(
            f"{shown(path)} is in no git repository, so its earlier versions are not known: commit it first"
        )
    root = os.path.realpath(os.fsdecode(top.rstrip(b"\n")))
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if commit is None:
        raise CannotRun(f"git knows no commit `{ref}` here: name a branch, a tag or a commit, such as `--ref HEAD~3`")
    sha = commit.decode().strip()
    name = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
    for candidate in (name, _earlier_name(root, sha, name)):
        data = None if candidate is None else _git(root, "cat-file", "blob", f"{sha}:{candidate}")
        if candidate is not None and data is not None:
            return FileAtRef(_below(root, candidate), ref, data, _changed(root, sha))
    raise CannotRun(
        f"{shown(path)} is not in {ref}, not under another name either: name a commit that has it, such as "
        f"`--ref HEAD~3`; a file that was never committed has no earlier versions"
    )


def _earlier_name(root: str, commit: str, name: str) -> str | None:
    """The name a file had before it was renamed, as git guesses it from what is in the files."""
    found = _git(root, "diff", "--name-status", "-z", "--find-renames", "--diff-filter=R", commit, "--")
    entries = iter([] if found is None else os.fsdecode(found).split("\0"))
    for _ in entries:  # R087, the old name, the new one
        old, new = next(entries, ""), next(entries, "")
        if new == name:
            return old
    return None


def _changed(root: str, commit: str) -> frozenset[str]:
    found = _git(root, "diff", "--name-only", "-z", commit, "--")
    return frozenset(_below(root, name) for name in os.fsdecode(found or b"").split("\0") if name)


def _below(root: str, name: str) -> str:
    return os.path.join(root, *name.split("/"))


def _git(folder: str, *arguments: str) -> bytes | None:
    """What a git command prints; None when it fails."""
    try:
        done = subprocess.run(("git", "-C", folder, *arguments), capture_output=True, check=False)
    except FileNotFoundError:
        raise CannotRun("git is not installed, and earlier versions of a file are in git: install it") from None
    return done.stdout if done.returncode == 0 else None
