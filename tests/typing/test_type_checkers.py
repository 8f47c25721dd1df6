"""What type checkers say of programs that use flow instances, as the markdown files here tell it.

A `py` block is a program. `# revealed: ...` above a line is the type that mypy reveals there, `# error: [code] ...` the
error it reports, and `# by pyright: [rule] ...` the first line of the one pyright reports. Nothing else may be
reported, and no line by one of them only.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNTIME = HERE.parent.parent / "runtime"
BLOCK = re.compile(r"^## (.+?)\n(?:.*?)^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REPORT = re.compile(
    r"(\w+)\.py:(\d+): (?:error: (?P<error>.*?)  \[(?P<code>[\w-]+)\]|note: Revealed type is \"(?P<type>.*)\")$"
)

Findings = dict[int, str]


@dataclass(frozen=True)
class Program:
    title: str
    text: str

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "_", self.title).lower().strip("_")

    @property
    def told(self) -> Findings:
        """What the comments say of mypy, by the line they stand above."""
        return self._comments("# revealed: ", "# error: ")

    @property
    def told_by_pyright(self) -> Findings:
        """What they say of pyright."""
        return {line: said.removeprefix("by pyright: ") for line, said in self._comments("# by pyright: ").items()}

    def _comments(self, *kinds: str) -> Findings:
        found: Findings = {}
        above: list[str] = []
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.strip().startswith("# "):
                above.append(line.strip())
            else:
                found.update((number, each.removeprefix("# ")) for each in above if each.startswith(kinds))
                above = []
        return found


PROGRAMS = [Program(*found) for path in sorted(HERE.glob("*.md")) for found in BLOCK.findall(path.read_text())]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flow class, its generated modules and the programs."""
    folder = tmp_path_factory.mktemp("typing")
    shutil.copy(HERE / "orders.py", folder)
    generate = [sys.executable, "-m", "persistc", "generate", "orders.py"]
    run = subprocess.run(generate, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    for program in PROGRAMS:
        (folder / f"{program.name}.py").write_text(program.text)
    return folder


@pytest.fixture(scope="module")
def mypy_findings(project: Path) -> dict[str, Findings]:
    """What mypy says of each program, by line: one run for all."""
    (project / "mypy.ini").write_text(f"[mypy]\nstrict = true\nmypy_path = {RUNTIME}\npretty = false\n")
    run = subprocess.run([sys.executable, "-m", "mypy", "."], cwd=project, capture_output=True, text=True, check=False)
    findings: dict[str, Findings] = {}
    for line in run.stdout.splitlines():
        found = REPORT.match(line)
        if found is not None:
            said = f"error: [{found['code']}] {found['error']}" if found["error"] else f"revealed: {found['type']}"
            findings.setdefault(found[1], {})[int(found[2])] = said
        else:
            assert ": error:" not in line, line
    return findings


@pytest.fixture(scope="module")
def pyright_findings(project: Path) -> dict[str, Findings]:
    """The errors that pyright reports of each program, by line."""
    config = {"extraPaths": [str(RUNTIME)], "typeCheckingMode": "standard"}
    (project / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    try:
        run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
        report = json.loads(run.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        pytest.skip("pyright is not installed, or could not fetch what it needs")
    findings: dict[str, Findings] = {}
    for found in report["generalDiagnostics"]:
        if found["severity"] == "error":
            said = f"[{found['rule']}] {found['message'].splitlines()[0]}"
            findings.setdefault(Path(found["file"]).stem, {})[found["range"]["start"]["line"] + 1] = said
    return findings


def test_the_generated_modules_are_clean(mypy_findings: dict[str, Findings]) -> None:
    assert mypy_findings.keys() <= {program.name for program in PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.title for program in PROGRAMS])
def test_mypy_says_what_the_comments_say(program: Program, mypy_findings: dict[str, Findings]) -> None:
    assert mypy_findings.get(program.name, {}) == program.told


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.title for program in PROGRAMS])
def test_pyright_says_what_the_comments_say(program: Program, pyright_findings: dict[str, Findings]) -> None:
    assert pyright_findings.get(program.name, {}) == program.told_by_pyright


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.title for program in PROGRAMS])
def test_what_one_refuses_the_other_refuses(program: Program) -> None:
    refused = {line for line, said in program.told.items() if said.startswith("error")}

    assert refused == program.told_by_pyright.keys()
