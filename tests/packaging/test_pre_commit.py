"""The hooks of pre-commit in real commits: a commit with a stale proxy is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
FLOWS = '''\
from persistasaurus import flow, step


class GreetingFlow:
    @flow
    async def greet(self, name: str) -> str:
        """Greet somebody."""
        return await self.say(name)

    @step
    async def say(self, name: str) -> str:
        return f"hello {name}"
'''
CHANGED = FLOWS.replace("name: str", "person: str")


@dataclass(frozen=True)
class Repository:
    """A git repository in a folder, and nothing of the configuration of whoever runs the tests."""

    root: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the tests' environment in it."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        environment = inherited | {
            "PATH": path, "PRE_COMMIT_HOME": str(self.root.parent / "pre-commit"), "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
        }  # fmt: skip
        return subprocess.run(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip

    def done(self, *command: str) -> str:
        """Run a program that has to succeed."""
        ended = self.run(*command)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def commit(self) -> subprocess.CompletedProcess[str]:
        """Commit everything."""
        self.done("git", "add", "--all")
        return self.run("git", "commit", "-m", "a change")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")


def repository(root: Path) -> Repository:
    root.mkdir()
    found = Repository(root)
    found.done("git", "init", "--quiet")
    return found


def hooks_of_the_project(tmp_path: Path, hook: str) -> str:
    """A configuration that takes a hook from a repository with this project's manifest.

    What it runs is the persistc of the tests' environment: to install one takes a network.
    """
    source = repository(tmp_path / "source")
    source.write(MANIFEST.name, MANIFEST.read_text(encoding="utf-8"))
    assert source.commit().returncode == 0
    revision = source.done("git", "rev-parse", "HEAD").strip()
    taken = {"id": hook, "language": "system", "additional_dependencies": []}
    return json.dumps({"repos": [{"repo": str(source.root), "rev": revision, "hooks": [taken]}]})  # JSON is YAML


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """A repository with a flow class, its generated files, and what `persistc init` writes."""
    found = repository(tmp_path / "project")
    found.write("flows.py", FLOWS)
    found.done("persistc", "init")
    found.done("persistc", "generate")
    return found


@pytest.mark.parametrize("hooks", ["of init", "of the manifest"])
def test_a_commit_with_a_stale_proxy_is_refused_until_it_is_generated(
    project: Repository, tmp_path: Path, hooks: str
) -> None:
    if hooks == "of the manifest":
        project.write(".pre-commit-config.yaml", hooks_of_the_project(tmp_path, "persistc-check"))
    project.done("pre-commit", "install")
    assert project.commit().returncode == 0

    project.write("flows.py", CHANGED)
    refused = project.commit()
    assert refused.returncode == 1
    assert "stale: flows_durable.py\n" in refused.stdout
    assert project.done("git", "log", "--format=%s") == "a change\n"

    project.done("persistc", "generate")
    accepted = project.commit()
    assert accepted.returncode == 0, accepted.stdout
    assert project.done("git", "status", "--porcelain") == ""
    assert project.done("git", "log", "--format=%s") == "a change\n" * 2


def test_a_proxy_that_was_generated_but_not_added_does_not_count(project: Repository) -> None:
    project.done("pre-commit", "install")
    assert project.commit().returncode == 0
    project.write("flows.py", CHANGED)
    project.done("persistc", "generate")
    project.done("git", "add", "flows.py")
    assert project.run("git", "commit", "-m", "half of it").returncode == 1
    assert project.commit().returncode == 0


def test_a_commit_that_only_removes_the_source_is_refused(project: Repository) -> None:
    project.done("pre-commit", "install")
    assert project.commit().returncode == 0
    (project.root / "flows.py").unlink()
    refused = project.commit()
    assert refused.returncode == 1
    assert "orphan: flows_durable.py\n" in refused.stdout


def test_the_hook_that_generates_leaves_the_right_files_to_be_added(project: Repository, tmp_path: Path) -> None:
    project.write(".pre-commit-config.yaml", hooks_of_the_project(tmp_path, "persistc-generate"))
    project.done("pre-commit", "install")
    assert project.commit().returncode == 0
    project.write("flows.py", CHANGED)
    refused = project.commit()
    assert refused.returncode == 1
    assert "wrote flows_durable.py\n" in refused.stdout
    assert project.commit().returncode == 0


def test_pre_commit_accepts_the_manifest(project: Repository) -> None:
    checked = project.run("pre-commit", "validate-manifest", str(MANIFEST))
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_hooks_install_what_the_extra_names() -> None:
    """pre-commit installs a repository without its extras."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = re.findall(r"additional_dependencies: (.*)", MANIFEST.read_text(encoding="utf-8"))
    assert [json.loads(each) for each in named] == [pyproject["project"]["optional-dependencies"]["compiler"]] * 2
