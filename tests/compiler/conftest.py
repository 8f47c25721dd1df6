"""Fixtures of the compiler's tests."""

from pathlib import Path

import pytest

from tests.compiler.projects import FLOWS, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path)


@pytest.fixture
def greeting(project: Project) -> Project:
    """A project with one flow class in `flows.py`."""
    project.write("flows.py", FLOWS)
    return project
