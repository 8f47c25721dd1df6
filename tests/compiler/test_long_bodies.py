"""The work of the checks grows with a body as the body does: twice the statements, twice the calls."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest

from persistc.checks import check
from persistc.configuration import Configuration
from persistc.project import Project
from persistc.reading import read_project
from persistc.sources import find_sources

HEAD = """\
import asyncio

from persistasaurus import flow, step

PAGES = {}


class ImportFlow:
    page = 0

    @step
    async def load(self, page: int) -> int: ...

    @flow
    async def import_all(self) -> None:
        pages = [0]
"""


def project_of(folder: Path, statement: str, times: int) -> Project:
    path = folder / f"flows{times}.py"
    path.write_text(HEAD + "".join(statement.replace("N", str(number)) for number in range(times)), encoding="utf-8")
    configuration = Configuration(root=folder, source=(path,))
    return read_project(find_sources((), configuration).sources, configuration).project


def calls_of_check(project: Project) -> int:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = check(project)
    finally:
        sys.setprofile(before)
    assert found == []
    return calls


def growth(folder: Path, statement: str) -> float:
    return calls_of_check(project_of(folder, statement, 200)) / calls_of_check(project_of(folder, statement, 100))


@pytest.mark.parametrize(
    "statement",
    [
        "        try:\n            await self.load(N)\n        except ValueError:\n            page = N\n",
        "        for page in pages:\n            await self.load(page)\n        pages = [N]\n",
        "        tags = {N}\n        if N in tags:\n            await self.load(len(tags))\n",
        "        nameN = {N}\n        nameN = nameN | {1}\n        await self.load(max(nameN))\n",
        "        taskN = asyncio.create_task(self.load(N))\n        await taskN\n",
        "        if self.page == N and PAGES[N]:\n            await self.load(N)\n",
    ],
    ids=["try", "loops", "one set", "many sets", "tasks", "what is shared"],
)
def test_work_grows_as_the_body_does(statement: str, tmp_path: Path) -> None:
    assert growth(tmp_path, statement) < 2.1
