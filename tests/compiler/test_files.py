"""Generated files: what is kept, overwritten and removed, and that a failed run leaves everything as it was."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.compiler.projects import FLOWS, Project

OUTPUTS = ("flows_durable.py", "flows_durable.pyi")
NOT_A_FLOW = "class GreetingFlow:\n    pass\n"


@pytest.fixture
def generated(greeting: Project) -> Project:
    """A project with its generated files."""
    assert greeting.persistc("generate").exit_code == 0
    return greeting


def test_unchanged_files_are_not_touched(generated: Project) -> None:
    before = {name: (generated.root / name).stat().st_mtime_ns for name in OUTPUTS}
    assert generated.persistc("generate").stdout == "2 unchanged\n"
    assert {name: (generated.root / name).stat().st_mtime_ns for name in OUTPUTS} == before


def test_a_change_of_comments_and_bodies_changes_no_output(generated: Project) -> None:
    before = {name: generated.read(name) for name in OUTPUTS}
    generated.write("flows.py", "# A comment.\n\n" + FLOWS.replace("hello", "good day"))
    assert generated.persistc("generate").stdout == "2 unchanged\n"
    assert {name: generated.read(name) for name in OUTPUTS} == before


def test_a_file_edited_by_hand_is_kept(generated: Project) -> None:
    path = generated.root / "flows_durable.py"
    edited = path.read_text(encoding="utf-8").replace("greet(self, name: str)", "greet(self, name: str, more: int)")
    path.write_text(edited, encoding="utf-8")
    generated.write("flows.py", FLOWS.replace("name", "person"))
    before = generated.files()
    ended = generated.persistc("generate")
    assert ended.exit_code == 1
    assert ended.stdout == (
        "edited: flows_durable.py\nedited: put the change into the source and run `persistc generate --force`\n"
    )
    assert generated.files() == before


def test_force_overwrites_a_file_edited_by_hand(generated: Project) -> None:
    path = generated.root / "flows_durable.py"
    intact = path.read_text(encoding="utf-8")
    path.write_text(intact + "\nMORE = 1\n", encoding="utf-8")
    assert generated.persistc("generate", "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") == intact


def test_line_ends_that_git_changed_are_no_edit(generated: Project) -> None:
    path = generated.root / "flows_durable.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert generated.persistc("check").exit_code == 0


def test_check_shows_a_diff_and_writes_nothing(generated: Project) -> None:
    generated.write("flows.py", FLOWS.replace("name: str", "person: str"))
    before = generated.files()
    ended = generated.persistc("check")
    assert ended.exit_code == 1
    assert "stale: flows_durable.py\n--- flows_durable.py\n" in ended.stdout
    assert "-    async def greet(self, name: str) -> str:\n" in ended.stdout
    assert "+    async def greet(self, person: str) -> str:\n" in ended.stdout
    assert "stale: flows_durable.pyi\n" in ended.stdout
    assert generated.files() == before


def test_check_names_missing_files(greeting: Project) -> None:
    ended = greeting.persistc("check")
    assert ended.exit_code == 1
    assert ended.stdout == ("missing: flows_durable.py\nmissing: flows_durable.pyi\nmissing: run `persistc generate`\n")
    assert list(greeting.files()) == ["flows.py"]


@pytest.mark.parametrize("source", [None, NOT_A_FLOW])
def test_orphans_are_found_and_removed(generated: Project, source: str | None) -> None:
    (generated.root / "flows.py").unlink()
    if source is not None:
        generated.write("flows.py", source)
    ended = generated.persistc("check")
    assert ended.exit_code == 1
    assert ended.stdout.startswith("orphan: flows_durable.py\norphan: flows_durable.pyi\n")
    ended = generated.persistc("generate")
    assert (ended.exit_code, ended.stdout) == (0, "removed flows_durable.py\nremoved flows_durable.pyi\n")
    assert not any((generated.root / name).exists() for name in OUTPUTS)


def test_an_orphan_of_a_single_path_is_found_too(generated: Project) -> None:
    generated.write("flows.py", NOT_A_FLOW)
    assert generated.persistc("check", "flows.py").stdout.startswith("orphan: flows_durable.py\n")


def test_an_orphan_edited_by_hand_is_removed_by_force_only(generated: Project) -> None:
    (generated.root / "flows.py").unlink()
    path = generated.root / "flows_durable.py"
    path.write_text(path.read_text(encoding="utf-8") + "MINE = 1\n", encoding="utf-8")
    ended = generated.persistc("generate")
    assert ended.exit_code == 1
    assert "orphan: its source is gone, and it was edited by hand" in ended.stdout
    assert path.exists()
    assert generated.persistc("generate", "--force").exit_code == 0
    assert not path.exists()


def test_a_users_own_file_of_such_a_name_is_left_alone(project: Project) -> None:
    project.write("things_durable.py", "MINE = 1\n")
    assert project.persistc("generate", "--force").stdout == "no flow classes found\n"
    assert project.read("things_durable.py") == "MINE = 1\n"


def test_a_users_own_file_in_the_way_is_never_overwritten(greeting: Project) -> None:
    greeting.write("flows_durable.py", "MINE = 1\n")
    for arguments in (["generate"], ["generate", "--force"]):
        ended = greeting.persistc(*arguments)
        assert ended.exit_code == 1
        assert ended.stdout.startswith("foreign: flows_durable.py\n")
        assert sorted(greeting.files()) == ["flows.py", "flows_durable.py"]


def test_nothing_is_written_when_one_file_of_many_is_wrong(greeting: Project) -> None:
    greeting.write("broken.py", FLOWS.replace("name: str", "name"))
    greeting.write("unreadable.py", "from persistasaurus import flow\nclass :\n")
    before = greeting.files()
    ended = greeting.persistc("generate")
    assert ended.exit_code == 1
    assert "error[PST040]" in ended.stdout
    assert "error[PST001]" in ended.stdout
    assert greeting.files() == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_could_not_run(greeting: Project) -> None:
    greeting.write("locked/flows.py", FLOWS)
    (greeting.root / "locked").chmod(0o500)
    try:
        ended = greeting.persistc("generate")
    finally:
        (greeting.root / "locked").chmod(0o700)
    assert ended.exit_code == 2
    assert "cannot be written" in ended.stderr
    assert sorted(greeting.files()) == ["flows.py", "locked/flows.py"]


def test_a_run_that_cannot_write_its_last_file_writes_none(greeting: Project) -> None:
    greeting.write("later/flows.py", FLOWS)
    # A folder stands where the temporary file would be moved to: the only failure that stops the superuser too.
    (greeting.root / "later/flows_durable.py").mkdir()
    before = greeting.files()
    ended = greeting.persistc("generate")
    assert ended.exit_code == 2
    assert "later/flows_durable.py" in ended.stderr
    assert greeting.files() == before


def test_two_modules_with_one_output_collide(greeting: Project) -> None:
    greeting.write("main.py", FLOWS)
    greeting.write("__main__.py", FLOWS)
    before = greeting.files()
    ended = greeting.persistc("generate")
    assert ended.exit_code == 1
    assert "error[PST003]" in ended.stdout
    assert greeting.files() == before


def test_a_package_itself_may_hold_flow_classes(project: Project) -> None:
    project.write("app/__init__.py", FLOWS)
    assert project.persistc("generate").stdout == "wrote app/init_durable.py\nwrote app/init_durable.pyi\n"
    assert "\nfrom . import GreetingFlow\n" in project.read("app/init_durable.py")
    assert project.python("import app.init_durable").stderr == ""


def test_permissions_of_a_file_stay(generated: Project) -> None:
    path = generated.root / "flows_durable.py"
    path.chmod(0o640)
    generated.write("flows.py", FLOWS.replace("name", "person"))
    assert generated.persistc("generate").exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_output_is_the_same_bytes_under_another_hash_seed_and_folder(
    generated: Project, tmp_path_factory: pytest.TempPathFactory, seed: str
) -> None:
    expected = generated.files()
    for name in OUTPUTS:
        (generated.root / name).unlink()
    elsewhere = Project(tmp_path_factory.mktemp("elsewhere"))
    ended = elsewhere.persistc_process("generate", str(generated.root / "flows.py"), PYTHONHASHSEED=seed)
    assert ended.exit_code == 0
    assert generated.files() == expected


def test_the_output_says_nothing_of_the_machine(generated: Project) -> None:
    for name in OUTPUTS:
        text = generated.read(name)
        assert str(generated.root) not in text
        assert str(Path.home()) not in text
