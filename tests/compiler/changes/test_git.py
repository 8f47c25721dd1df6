"""`persistc diff` in real repositories: which trees it compares, and what keeps it from doing so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.compiler.projects import FLOWS, Ended, Project

AUTHOR = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
CHANGED = FLOWS.replace("return await self.say(name)", 'return await self.say(name + "!")')
NOTHING = "Nothing has changed for flows under way.\n"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **AUTHOR}, check=True, capture_output=True)


def commit(project: Project) -> None:
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "a change")


@pytest.fixture
def committed(greeting: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with one flow class, committed."""
    for name, value in AUTHOR.items():
        monkeypatch.setenv(name, value)
    git(greeting.root, "init", "--quiet", "--initial-branch=main")
    commit(greeting)
    return greeting


def test_a_tree_as_it_was_committed_has_no_changes(committed: Project) -> None:
    before = committed.files()
    assert committed.persistc("diff") == Ended(0, NOTHING, "")
    assert committed.files() == before


def test_the_work_tree_is_compared_with_the_last_commit(committed: Project) -> None:
    committed.write("flows.py", CHANGED)
    assert committed.persistc("diff") == Ended(
        1,
        "needs a kept version: GreetingFlow.greet\n"
        "  - at its start it calls `say` in another way, `return await self.say(name + '!')`, "
        "and did `return await self.say(name)`\n"
        "    flows.py:10, was HEAD:flows.py:10\n"
        "    = help: keep the old body beside the new one: `persistc keep GreetingFlow.greet`\n"
        "\n"
        "1 flow changed; needs a kept version: 1.\n",
        "",
    )


def test_or_with_any_other_commit(committed: Project) -> None:
    git(committed.root, "tag", "v1")
    committed.write("flows.py", CHANGED)
    commit(committed)
    assert committed.persistc("diff").exit_code == 0
    ended = committed.persistc("diff", "v1", "--output-format", "concise")
    assert ended.exit_code == 1
    assert ended.stdout.startswith("flows.py:10: needs a kept version: GreetingFlow.greet: at its start it calls `say`")


def test_json_is_one_document(committed: Project) -> None:
    assert json.loads(committed.persistc("diff", "--output-format", "json").stdout) == []
    committed.write("flows.py", FLOWS.replace("class GreetingFlow", "class HelloFlow"))
    ended = committed.persistc("diff", "--output-format", "json")
    assert ended.exit_code == 1
    gone, added = json.loads(ended.stdout)
    assert (gone["flow"], gone["verdict"]) == ("GreetingFlow.greet", "breaking")
    assert gone["reasons"][0]["old"] == {"file": "HEAD:flows.py", "line": 8, "column": 15}
    assert gone["reasons"][0]["new"] is None
    assert (added["flow"], added["verdict"]) == ("HelloFlow.greet", "compatible")


def test_github_gets_an_annotation_for_each_reason(committed: Project) -> None:
    committed.write("flows.py", CHANGED)
    lines = committed.persistc("diff", "--output-format", "github").stdout.splitlines()
    assert [line.partition("::GreetingFlow")[0] for line in lines] == [
        "::warning title=persistc diff (needs a kept version),file=flows.py,line=10"
    ]


def test_compatible_changes_are_no_findings(committed: Project) -> None:
    committed.write("flows.py", FLOWS.replace('f"hello {name}"', 'f"good morning {name}"'))
    ended = committed.persistc("diff")
    assert ended.exit_code == 0
    assert "only what is done in `say` changed" in ended.stdout


def test_a_module_that_moves_takes_its_flows_along(committed: Project) -> None:
    committed.write("app/__init__.py", "")
    committed.write("app/greetings.py", FLOWS)
    (committed.root / "flows.py").unlink()
    assert committed.persistc("diff") == Ended(0, NOTHING, "")


def test_each_tree_has_the_settings_that_stand_in_it(committed: Project) -> None:
    committed.write("old/flows.py", FLOWS.replace("GreetingFlow", "OldFlow"))
    committed.write("pyproject.toml", '[tool.persistc]\nsource = ["old"]\n')
    commit(committed)
    committed.write("pyproject.toml", '[tool.persistc]\nsource = ["flows.py"]\n')
    changes = json.loads(committed.persistc("diff", "--output-format", "json").stdout)
    assert [(each["flow"], each["verdict"]) for each in changes] == [
        ("OldFlow.greet", "breaking"),
        ("GreetingFlow.greet", "compatible"),
    ]


def test_only_the_project_of_the_working_directory_is_compared(committed: Project) -> None:
    part = Project(committed.root / "part")
    part.write("pyproject.toml", "[tool.persistc]\n")
    part.write("flows.py", FLOWS)
    commit(committed)
    committed.write("flows.py", CHANGED)
    assert part.persistc("diff") == Ended(0, NOTHING, "")
    assert committed.persistc("diff").exit_code == 1


def test_a_folder_that_was_not_there_has_new_flows_only(committed: Project) -> None:
    part = Project(committed.root / "part")
    part.write("pyproject.toml", "[tool.persistc]\n")
    part.write("flows.py", FLOWS)
    changes = json.loads(part.persistc("diff", "--output-format", "json").stdout)
    assert [(each["flow"], each["reasons"][0]["message"]) for each in changes] == [("GreetingFlow.greet", "is new")]


def test_names_with_spaces_and_lines_of_windows_are_read(committed: Project) -> None:
    committed.write("my app/größe.py", FLOWS.replace("GreetingFlow", "OtherFlow"))
    (committed.root / "flows.py").write_bytes(FLOWS.replace("\n", "\r\n").encode())
    commit(committed)
    assert committed.persistc("diff") == Ended(0, NOTHING, "")


# --- what keeps it from comparing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", ["nowhere", "--help-me", "HEAD~7", "HEAD:flows.py"])
def test_an_unknown_commit_is_an_error(committed: Project, ref: str) -> None:
    ended = committed.persistc("diff", "--", ref)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"persistc: git knows no commit `{ref}` here: name a branch, a tag or a commit")


def test_a_folder_outside_of_a_repository_is_an_error(greeting: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(greeting.root.parent))
    ended = greeting.persistc("diff")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "is in no git repository" in ended.stderr


def test_no_git_is_an_error(committed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(committed.root))
    ended = committed.persistc("diff")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "git is not installed" in ended.stderr


def test_a_commit_that_does_not_compile_is_an_error_that_says_so(committed: Project) -> None:
    committed.write("flows.py", FLOWS.replace("-> str", "->"))
    commit(committed)
    committed.write("flows.py", FLOWS)
    ended = committed.persistc("diff")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(
        "persistc: `HEAD` does not compile, name a commit that does: flows.py:8: error[PST001] "
    )


def test_a_work_tree_that_does_not_compile_is_an_error_too(committed: Project) -> None:
    committed.write("flows.py", FLOWS.replace("-> str", "->"))
    ended = committed.persistc("diff")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("persistc: flows.py:8: error[PST001] ")
