"""Fixtures of the tests of `persistc keep`."""

from pathlib import Path

import pytest

from tests.compiler.keeping.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    repository = Repository(tmp_path)
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository
