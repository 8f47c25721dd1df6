"""The cache of runs: it saves time and changes nothing else, whatever becomes of the files, the project or itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from persistc import disk
from tests.compiler.projects import FLOWS, IMPORT_PATH, Project

CACHE = ".persistc_cache"
PYPROJECT = '[project]\nname = "shop"\n'
RAISING = FLOWS.replace(
    '        """Greet somebody."""\n        return await self.say(name)\n',
    '        """Greet somebody."""\n'
    "        try:\n            return await self.say(name)\n        except Rude:\n            return name\n",
).replace("from persistasaurus", "from errors import Rude\nfrom persistasaurus")
RUDE = "class Rude(Exception): ...\n"
NOT_REBUILT = "class Rude(Exception):\n    def __init__(self, text: str) -> None:\n        super().__init__(text)\n"
HAS_LOADED = """
import sys
from persistc.__main__ import main
code = main(sys.argv[1:])
print("loaded:", sorted({"libcst", "jinja2", "persistc.compiling"} & sys.modules.keys()))
sys.exit(code)
"""


@pytest.fixture
def shop(greeting: Project) -> Project:
    """A project with a pyproject.toml, its generated files, and a cache of a clean check."""
    greeting.write("pyproject.toml", PYPROJECT)
    assert greeting.persistc("generate").exit_code == 0
    assert greeting.persistc("check").exit_code == 0
    return greeting


def entries(project: Project) -> list[Path]:
    return sorted((project.root / CACHE).glob("*.json"))


def loaded(project: Project, *arguments: str) -> tuple[int, str, str]:
    """The exit code and output of a command, and the modules of a full run that it has loaded."""
    ended = subprocess.run(
        [sys.executable, "-P", "-c", HAS_LOADED, *arguments], cwd=project.root, capture_output=True, encoding="utf-8",
        check=False, env={"PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    text, _, modules = ended.stdout.rpartition("loaded: ")
    return ended.returncode, text, modules.strip() + ended.stderr


def test_an_unchanged_project_is_checked_without_the_compiler(shop: Project) -> None:
    assert loaded(shop, "check") == (0, "", "[]")
    assert loaded(shop, "check", "--no-cache") == (0, "", "['jinja2', 'libcst', 'persistc.compiling']")


def test_findings_are_shown_again_as_they_were(shop: Project) -> None:
    shop.write("flows.py", FLOWS.replace("name: str", "name"))
    first = shop.persistc("check")
    assert "error[PST040]" in first.stdout
    assert loaded(shop, "check") == (1, first.stdout, "[]")


def test_generate_is_remembered_only_when_it_had_nothing_to_write(shop: Project) -> None:
    shutil.rmtree(shop.root / CACHE)
    (shop.root / "flows_durable.py").unlink()
    assert shop.persistc("generate").stdout == "wrote flows_durable.py\n1 unchanged\n"
    assert entries(shop) == []
    (shop.root / "flows_durable.py").unlink()
    assert shop.persistc("generate").stdout == "wrote flows_durable.py\n1 unchanged\n"
    assert shop.persistc("generate").stdout == "2 unchanged\n"
    assert loaded(shop, "generate") == (0, "2 unchanged\n", "[]")


def test_what_counts_is_content_and_not_times(shop: Project) -> None:
    path = shop.root / "flows.py"
    before = path.stat()
    path.write_text(FLOWS.replace("name: str", "nome: str"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert shop.persistc("check").stdout.startswith("stale: flows_durable.py\n")
    path.write_text(FLOWS, encoding="utf-8")
    assert shop.persistc("check").exit_code == 0


def test_options_formats_and_working_directories_are_kept_apart(shop: Project) -> None:
    shop.write("flows.py", FLOWS.replace("name: str", "name"))
    for _ in range(2):
        assert shop.persistc("check", "--output-format", "json").stdout.startswith("[\n")
        assert shop.persistc("check", "--output-format", "concise").stdout.startswith("flows.py:8:")
        assert shop.persistc("check", "flows.py").stdout.startswith("error[PST040]")
        shop.write("docs/index.txt", "")
        assert f" --> {shop.root}/flows.py:8" in shop.persistc_process("check", inside="docs").stdout
    assert len(entries(shop)) == 5


def test_it_tells_git_and_backups_to_pass_it_by(shop: Project) -> None:
    assert shop.read(f"{CACHE}/.gitignore") == "*\n"
    assert shop.read(f"{CACHE}/CACHEDIR.TAG").startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_a_project_without_pyproject_gets_no_folder(greeting: Project) -> None:
    assert greeting.persistc("check").exit_code == 1
    assert not (greeting.root / CACHE).exists()


def test_no_cache_leaves_no_trace(greeting: Project) -> None:
    greeting.write("pyproject.toml", PYPROJECT)
    assert greeting.persistc("check", "--no-cache").exit_code == 1
    assert not (greeting.root / CACHE).exists()


def test_command_lines_are_not_kept_for_ever(shop: Project) -> None:
    for number in range(60):
        shop.write(f"flow_{number}.py", "")
        assert shop.persistc("check", f"flow_{number}.py").exit_code == 0
    assert len(entries(shop)) == 50


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        (disk.is_file, lambda path: path.touch()),
        (disk.is_folder, lambda path: path.mkdir()),
        (disk.is_folder, lambda path: path.symlink_to(path.parent)),
        (disk.listing, lambda path: path.mkdir() or (path / "flows.py").touch()),
    ],
)
def test_what_was_answered_with_no_is_remembered_as_well(
    tmp_path: Path, ask: Callable[[str], object], change: Callable[[Path], None]
) -> None:
    with disk.recording() as record:
        ask(str(tmp_path / "flows"))
    assert record.still_holds()
    change(tmp_path / "flows")
    assert not record.still_holds()


def test_a_file_that_could_not_be_read_is_remembered_as_well(tmp_path: Path) -> None:
    with disk.recording() as record, pytest.raises(FileNotFoundError):
        disk.read_bytes(str(tmp_path / "flows.py"))
    assert record.still_holds()
    (tmp_path / "flows.py").touch()
    assert not record.still_holds()


# --- a cache that is not what it was --------------------------------------------------------------------------------


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flip(data: bytes) -> bytes:
    at = data.index(b'"exit_code":0') + len(b'"exit_code":')
    return data[:at] + b"1" + data[at + 1 :]


def _newer(_: bytes) -> bytes:
    return b'{"format": 99, "outcome": "as nobody knows it yet"}\n'


def _empty(_: bytes) -> bytes:
    return b""


def _noise(data: bytes) -> bytes:
    return bytes(255 - byte for byte in data)


@pytest.mark.parametrize("damage", [_cut, _flip, _newer, _empty, _noise])
def test_a_damaged_or_newer_entry_is_passed_by_and_written_anew(
    shop: Project, damage: Callable[[bytes], bytes]
) -> None:
    (entry,) = entries(shop)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert loaded(shop, "check") == (0, "", "['jinja2', 'libcst', 'persistc.compiling']")
    assert entry.read_bytes() == whole
    assert loaded(shop, "check") == (0, "", "[]")


def test_it_may_be_deleted_at_any_time(shop: Project) -> None:
    shutil.rmtree(shop.root / CACHE)
    assert shop.persistc("check").exit_code == 0
    assert len(entries(shop)) == 1


def test_another_compiler_does_not_believe_it(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A persistc that differs in one byte of one file."""
    other = tmp_path_factory.mktemp("other")
    for folder in IMPORT_PATH.split(":"):
        shutil.copytree(folder, other, dirs_exist_ok=True)
    with (other / "persistc" / "durations.py").open("a") as stream:
        stream.write("\n")
    program = [sys.executable, "-P", "-c", HAS_LOADED, "check"]
    environment = {"PYTHONPATH": str(other), "PYTHONDONTWRITEBYTECODE": "1"}
    first, second = (
        subprocess.run(program, cwd=shop.root, capture_output=True, text=True, check=True, env=environment).stdout
        for _ in range(2)
    )
    assert first == "loaded: ['jinja2', 'libcst', 'persistc.compiling']\n"
    assert second == "loaded: []\n"


@pytest.mark.parametrize("obstacle", ["file in place of the folder", "folder in place of the entry", "read-only"])
def test_where_it_cannot_be_written_persistc_goes_without(shop: Project, obstacle: str) -> None:
    (entry,) = entries(shop)
    if obstacle == "file in place of the folder":
        shutil.rmtree(shop.root / CACHE)
        shop.write(CACHE, "")
    elif obstacle == "folder in place of the entry":
        entry.unlink()
        entry.mkdir()
    else:
        entry.unlink()
        (shop.root / CACHE).chmod(0o500)  # the superuser writes all the same
    ended = shop.persistc_process("check")
    (shop.root / CACHE).chmod(0o700)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
    assert not list(shop.root.rglob("*.tmp"))


def test_processes_at_once_disturb_neither_each_other_nor_the_entry(shop: Project) -> None:
    shutil.rmtree(shop.root / CACHE)
    shop.write("flows.py", FLOWS.replace("name: str", "name"))
    command = [sys.executable, "-P", "-m", "persistc", "check", "--output-format", "concise"]
    environment = {"PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1"}
    processes = [
        subprocess.Popen(command, cwd=shop.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        for _ in range(4)
    ]
    answers = {(process.communicate()[0], process.returncode) for process in processes}
    assert len(answers) == 1
    ((text, code),) = answers
    assert loaded(shop, "check", "--output-format", "concise") == (code, text.decode(), "[]")
    assert len(entries(shop)) == 1


def test_a_file_that_changes_during_the_run_is_not_remembered(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read = disk.read_bytes

    def read_and_change(path: str) -> bytes:
        data = read(path)
        if path.endswith("flows.py"):
            shop.write("flows.py", FLOWS.replace("name: str", "nome: str"))
        return data

    shutil.rmtree(shop.root / CACHE)
    with monkeypatch.context() as patched:
        patched.setattr(disk, "read_bytes", read_and_change)
        assert shop.persistc("check").exit_code == 0
    assert shop.persistc("check").stdout.startswith("stale: flows_durable.py\n")


def test_an_answer_that_changes_during_the_run_is_not_remembered(shop: Project) -> None:
    with disk.recording() as record:
        assert disk.is_file(str(shop.root / "flows.py"))
        (shop.root / "flows.py").unlink()
        assert not disk.is_file(str(shop.root / "flows.py"))
        shop.write("flows.py", FLOWS)
    assert not record.still_holds()


# --- with and without it --------------------------------------------------------------------------------------------

Edit = Callable[[Project], None]


def _writes(name: str, text: str) -> Edit:
    def edit(project: Project) -> None:
        project.write(name, text)

    return edit


def _removes(name: str) -> Edit:
    def edit(project: Project) -> None:
        (project.root / name).unlink(missing_ok=True)

    return edit


def _renames(name: str, other: str) -> Edit:
    def edit(project: Project) -> None:
        if (project.root / name).exists():
            (project.root / other).parent.mkdir(exist_ok=True)
            (project.root / name).replace(project.root / other)

    return edit


def _generates(project: Project) -> None:
    project.persistc("generate", "--force", "--no-cache")


EDITS: dict[str, Edit] = {
    "flows": _writes("flows.py", FLOWS),
    "flows raising": _writes("flows.py", RAISING),
    "flows wrong": _writes("flows.py", FLOWS.replace("name: str", "name")),
    "flows no Python": _writes("flows.py", "from persistasaurus import flow\nclass :\n"),
    "flows without marks": _writes("flows.py", "class GreetingFlow: ...\n"),
    "flows removed": _removes("flows.py"),
    "flows renamed": _renames("flows.py", "app/flows.py"),
    "flows renamed back": _renames("app/flows.py", "flows.py"),
    "more flows in a package": _writes("app/flows.py", RAISING),
    "an exception": _writes("errors.py", RUDE),
    "an exception that cannot come back": _writes("errors.py", NOT_REBUILT),
    "a nearer exception": _writes("app/errors.py", NOT_REBUILT),
    "no nearer exception": _removes("app/errors.py"),
    "no exception": _removes("errors.py"),
    "a folder where an import looks": _writes("errors/readme.txt", ""),
    "a package": _writes("app/__init__.py", ""),
    "no package": _removes("app/__init__.py"),
    "an environment": _writes("app/pyvenv.cfg", ""),
    "no environment": _removes("app/pyvenv.cfg"),
    "generate": _generates,
    "proxy edited": _writes("flows_durable.py", "# mine\n"),
    "proxy removed": _removes("flows_durable.py"),
    "stub removed": _removes("flows_durable.pyi"),
    "proxy renamed": _renames("flows_durable.py", "others_durable.py"),
    "source": _writes("pyproject.toml", f'{PYPROJECT}[tool.persistc]\nsource = ["app"]\n'),
    "wrong source": _writes("pyproject.toml", f"{PYPROJECT}[tool.persistc]\nsource = 1\n"),
    "all sources": _writes("pyproject.toml", PYPROJECT),
    "a nearer pyproject": _writes("app/pyproject.toml", PYPROJECT),
    "no nearer pyproject": _removes("app/pyproject.toml"),
    "nothing": _removes("nowhere.py"),
}
COMMANDS = (["check"], ["check", "--output-format", "json"], ["check", "app/flows.py"], ["generate"])


@example(["more flows in a package", "an environment", "no environment"])
@example(["source", "no exception", "more flows in a package", "generate", "an exception that cannot come back"])
@example(["source", "no exception", "more flows in a package", "generate", "a folder where an import looks"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=8))
def test_with_and_without_it_every_command_does_and_says_the_same(edits: list[str]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        cached, plain = Project(Path(one).resolve()), Project(Path(two).resolve())
        for project in (cached, plain):
            project.write("pyproject.toml", PYPROJECT)
            project.write("flows.py", RAISING)
            project.write("errors.py", RUDE)
        for edit in edits:
            for project in (cached, plain):
                EDITS[edit](project)
            for command in COMMANDS:
                expected = plain.persistc(*command, "--no-cache")
                ended = cached.persistc(*command)
                assert ended.exit_code == expected.exit_code
                assert ended.stdout == expected.stdout
                assert ended.stderr.replace(one, two) == expected.stderr
                assert cached.files() == plain.files()
