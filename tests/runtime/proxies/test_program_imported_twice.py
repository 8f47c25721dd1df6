"""A file that runs as the program and holds flow classes would be imported again for its proxies: refused at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.compiler.projects import Ended, Project, run

PROGRAM = """
import asyncio

from persistasaurus import flow, step


class ScriptFlow:
    @flow
    async def go(self) -> int:
        return await self.fetch()

    @step
    async def fetch(self) -> int:
        return 1


def main() -> None:
    from flows_durable import DurableScriptFlow

    print(DurableScriptFlow)


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("command", [["flows.py"], ["-m", "flows"]])
def test_a_program_that_imports_the_proxies_of_its_own_classes_is_told_to_be_two_files(
    tmp_path: Path, command: list[str]
) -> None:
    project = Project(tmp_path)
    project.write("flows.py", PROGRAM)
    assert project.persistc("generate").exit_code == 0
    ended: Ended = run(sys.executable, *command, cwd=tmp_path)
    assert ended.exit_code == 1
    assert ended.stderr.splitlines()[-1] == (
        "persistasaurus.errors.ImportedTwice: flows.py runs as the program and is imported a second time, as flows, "
        "for its proxies: each class in it would be two, and the exceptions and values of one unknown to the other. "
        "Keep ScriptFlow in flows.py and put the program into another file, main.py say"
    )


def test_the_same_from_another_file_is_fine(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("flows.py", PROGRAM)
    assert project.persistc("generate").exit_code == 0
    assert project.python("import flows; flows.main()").stdout == "<class 'flows_durable.DurableScriptFlow'>\n"
