"""A project in a git repository of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.compiler.projects import Ended, Project

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Repository(Project):
    """A project whose files are committed."""

    def git(self, *arguments: str) -> str:
        """Run git, and give what it prints."""
        done = subprocess.run(
            ("git", *arguments), cwd=self.root, env={**os.environ, **_ENVIRONMENT}, check=True, capture_output=True
        )
        return done.stdout.decode()

    def commit(self, name: str, text: str | bytes) -> Path:
        """Write a file and commit it, with all else that has changed."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {name}")
        return path

    def keep(self, *arguments: str) -> Ended:
        """Run `persistc keep`."""
        return self.persistc("keep", *arguments)
