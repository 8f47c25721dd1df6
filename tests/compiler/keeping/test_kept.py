"""`persistc keep` in real repositories: exactly this becomes of the file, and all else stays."""

from __future__ import annotations

import os

import pytest

from tests.compiler.keeping.fixtures import Fixture, fixtures, write
from tests.compiler.keeping.repositories import Repository

FIXTURES = tuple(fixtures())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.title)
def test_the_old_body_is_put_beside_the_new_one(fixture: Fixture, repository: Repository) -> None:
    repository.commit("flows.py", fixture.was)
    repository.write("flows.py", fixture.now)

    ended = repository.persistc("keep", "OrderFlow.place_order")

    becomes = repository.read("flows.py")
    if os.environ.get("PERSISTC_FIXTURES") == "write":
        write(fixture, becomes, ended.stdout)
    assert (becomes, ended.stdout, ended.stderr) == (fixture.becomes, fixture.output, "")
