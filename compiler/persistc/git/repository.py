"""A repository, and what its git says."""

from __future__ import annotations

import os
import subprocess

from persistc.cannot_run import CannotRun
from persistc.sources import shown


class GitRefused(CannotRun):
    """Git has refused a command."""


def git(folder: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """What a git command prints.

    Raises:
        CannotRun: There is no git.
        GitRefused: It has failed.
    """
    try:
        done = subprocess.run(("git", "-C", folder, *arguments), input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise CannotRun("git is not installed, or not on the path, and what files were earlier is in git") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise GitRefused(f"git {arguments[0]}: {said or 'failed and does not say why'}")
    return done.stdout


def top_of(folder: str, path: str) -> str:
    """The topmost folder of the repository that a folder belongs to, without symbolic links.

    Args:
        folder: The folder.
        path: What is asked for, itself or a file in it, for the message.

    Raises:
        CannotRun: There is no git, or it belongs to none.
    """
    try:
        top = git(folder, "rev-parse", "--show-toplevel")
    except GitRefused:
        raise CannotRun(
            f"{shown(path)} is in no git repository, so what it was earlier is not known: commit it first"
        ) from None
    return os.path.realpath(os.fsdecode(top.rstrip(b"\r\n")))


def commit_of(ref: str, folder: str) -> str:
    """The commit that a branch, a tag or another ref stands for.

    Raises:
        CannotRun: There is none.
    """
    try:
        found = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except GitRefused:
        raise CannotRun(
            f"git knows no commit `{ref}` here: name a branch, a tag or a commit, `HEAD~3` for one, and fetch it first "
            "if it is elsewhere"
        ) from None
    return found.decode().strip()
