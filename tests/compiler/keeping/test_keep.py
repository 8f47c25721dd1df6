"""What `persistc keep` does with a flow, a commit and a number, and when it leaves a file alone."""

from __future__ import annotations

import stat

import pytest

from tests.compiler.keeping.repositories import Repository
from tests.compiler.projects import FLOWS

BEFORE = FLOWS
CALL = "        return await self.say(name)\n"
NOW = FLOWS.replace(CALL, f'        await self.say("you")\n{CALL}')
KEPT = '''\
    @flow(version=1, of=greet)
    async def greet_v1(self, name: str) -> str:
        """Greet somebody."""
        return await self.say(name)
'''
DONE = """\
flows.py: kept version 1 of GreetingFlow.greet, from {}, as greet_v1
  greet is version 2
run `persistc generate`
"""


@pytest.fixture
def changed(repository: Repository) -> Repository:
    """A repository with a flow that has changed since it was committed."""
    repository.commit("flows.py", BEFORE)
    repository.write("flows.py", NOW)
    return repository


def test_the_result_is_generated_imported_and_clean(repository: Repository) -> None:
    repository.commit("app/__init__.py", "")
    repository.commit("app/flows.py", BEFORE)
    repository.write("app/flows.py", NOW)
    assert repository.keep("GreetingFlow.greet").exit_code == 0
    assert repository.persistc("generate").exit_code == 0
    assert repository.persistc("check").exit_code == 0
    ended = repository.python("""
        from app.flows_durable import DurableGreetingFlow, GreetingFlowInstance
        print(DurableGreetingFlow.greet_v1.__name__, hasattr(GreetingFlowInstance, "greet_v1"))
    """)
    assert (ended.stdout, ended.stderr) == ("greet_v1 False\n", "")


# --- nothing to do --------------------------------------------------------------------------------------------------


def test_a_second_time_says_that_it_is_kept(repository: Repository) -> None:
    repository.commit("flows.py", BEFORE)
    repository.write("flows.py", NOW)
    assert repository.keep("GreetingFlow.greet").stdout == DONE.format("HEAD")
    before = repository.files()
    ended = repository.keep("GreetingFlow.greet")
    assert (ended.exit_code, ended.stdout) == (0, "version 1 of GreetingFlow.greet is kept already, as greet_v1\n")
    assert repository.files() == before


def test_a_body_that_says_the_same_needs_no_keeping(repository: Repository) -> None:
    repository.commit("flows.py", BEFORE)
    same = BEFORE.replace('"""Greet somebody."""', '"""Greets.\n\n        Whoever it is.\n        """  # says hello')
    same = same.replace("self.say(name)", "self.say( name )").replace('f"hello', 'f"good morning')
    repository.write("flows.py", same)
    ended = repository.keep("GreetingFlow.greet")
    assert (ended.exit_code, ended.stdout) == (
        0,
        "GreetingFlow.greet does what it did at HEAD: nothing needs keeping; if flows under way run an older body, "
        "name a commit that has it: --ref\n",
    )
    assert repository.read("flows.py") == same


CONSTANTS = """\
from persistasaurus import flow

PAIR = 2
MANY = PAIR * 2


def many() -> int:
    return MANY


class Base:
    most = 9


class CountFlow(Base):
    attempts = 3

    def __init__(self) -> None:
        self.rate = 5

    @flow
    async def count(self) -> int:
        return self._rate() + self._tries() + self._many()

    def _rate(self) -> int:
        return self.rate

    def _tries(self) -> int:
        return self.attempts + self.most

    def _many(self) -> int:
        return many()
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("attempts = 3", "attempts = 5", "attempts of CountFlow was 3 and is 5 now"),
        ("most = 9", "most = 8", "most of CountFlow was 9 and is 8 now"),
        ("rate = 5", "rate = 6", "rate of CountFlow was 5 and is 6 now"),
        (
            "PAIR = 2",
            "PAIR = 3",
            "PAIR has changed: where the kept body needs the old one, add that under another name",
        ),
    ],
)
def test_a_value_that_a_body_leads_to_is_a_change_of_it(repository: Repository, was: str, now: str, said: str) -> None:
    repository.commit("flows.py", CONSTANTS)
    assert "does what it did" in repository.keep("CountFlow.count").stdout
    repository.write("flows.py", CONSTANTS.replace(was, now))
    ended = repository.keep("CountFlow.count")
    assert ended.stdout.splitlines()[1:] == [
        "  count is version 2",
        "look at this:",
        f"  {said}",
        "run `persistc generate`",
    ]


# --- numbers --------------------------------------------------------------------------------------------------------


def test_the_same_body_is_kept_where_the_number_was_raised_by_hand(repository: Repository) -> None:
    repository.commit("flows.py", BEFORE)
    repository.write("flows.py", BEFORE.replace("@flow", "@flow(version=2)"))
    assert repository.keep("GreetingFlow.greet").exit_code == 0
    assert KEPT in repository.read("flows.py")
    assert repository.read("flows.py").count("@flow(version=2)") == 1


def test_versions_count_on_and_the_newer_stands_above_the_older(changed: Repository) -> None:
    first = changed.git("rev-parse", "HEAD").strip()
    changed.keep("GreetingFlow.greet")
    changed.commit("flows.py", changed.read("flows.py").replace(f"\n{KEPT}", ""))  # nobody seemed to run it
    changed.write("flows.py", changed.read("flows.py").replace('"you"', '"all"'))
    assert "kept version 2" in changed.keep("GreetingFlow.greet").stdout
    ended = changed.keep("GreetingFlow.greet", "--ref", first)
    assert ended.stdout == (
        f"flows.py: kept version 1 of GreetingFlow.greet, from {first}, as greet_v1\n"
        "  greet is version 3\nrun `persistc generate`\n"
    )
    text = changed.read("flows.py")
    assert text.index("version=3)") < text.index("version=2, of=greet") < text.index("version=1, of=greet")


def test_the_new_body_gets_the_number_that_is_asked_for(changed: Repository) -> None:
    assert "greet is version 7\n" in changed.keep("GreetingFlow.greet", "--version", "7").stdout
    assert "@flow(version=7)\n" in changed.read("flows.py")


@pytest.mark.parametrize("number", ["1", "0", "-3"])
def test_a_number_that_is_not_higher_is_refused(changed: Repository, number: str) -> None:
    ended = changed.keep("GreetingFlow.greet", "--version", number)
    assert (ended.exit_code, ended.stderr) == (
        2,
        f"persistc: --version {number}: version 1 is there, and the new body needs a higher number\n",
    )
    assert changed.read("flows.py") == NOW


def test_a_name_that_is_taken_is_left_alone(repository: Repository) -> None:
    repository.commit("flows.py", BEFORE)
    taken = NOW + "\n    def greet_v1(self) -> None: ...\n"
    repository.write("flows.py", taken)
    assert "as greet_v1_\n" in repository.keep("GreetingFlow.greet").stdout
    assert "    async def greet_v1_(self, name: str)" in repository.read("flows.py")


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\n", b"\r\n"),
        (b"    ", b"\t"),
        (b'"""A flow', b'\xef\xbb\xbf"""A flow'),
        (b'"""A flow', b'# -*- coding: latin-1 -*-\n"""\xe4 flow'),
        (b'{name}"\n', b'{name}"'),
    ],
    ids=["line ends", "tabs", "byte order mark", "latin-1", "no line end at the end"],
)
def test_the_bytes_of_a_file_stay_what_they_are(repository: Repository, before: bytes, after: bytes) -> None:
    old, new, kept = (text.encode().replace(before, after) for text in (BEFORE, NOW, KEPT))
    repository.commit("flows.py", old)
    path = repository.root / "flows.py"
    path.write_bytes(new)
    path.chmod(0o640)

    assert repository.keep("GreetingFlow.greet").exit_code == 0

    line_end = b"\r\n" if b"\r\n" in new else b"\n"
    raised = new.replace(b"@flow", b"@flow(version=2)")
    end = raised.index(line_end * 2, raised.index(b'"you"')) + len(line_end)
    assert path.read_bytes() == raised[:end] + line_end + kept + raised[end:]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_file_that_was_renamed_since_is_found(repository: Repository, is_committed: bool) -> None:
    repository.commit("flows.py", BEFORE)
    repository.git("mv", "flows.py", "greetings.py")
    if is_committed:
        repository.commit("other.py", "")
    repository.write("greetings.py", NOW)
    ended = repository.keep("GreetingFlow.greet", "--ref", "HEAD~1" if is_committed else "HEAD")
    assert ended.exit_code == 0, ended.stderr
    assert KEPT in repository.read("greetings.py")


def test_an_older_commit_is_taken_by_any_name_git_knows(repository: Repository) -> None:
    repository.commit("flows.py", BEFORE)
    repository.git("tag", "v1.0")
    repository.commit("flows.py", NOW)
    assert "nothing needs keeping" in repository.keep("GreetingFlow.greet").stdout
    assert repository.keep("GreetingFlow.greet", "--ref", "v1.0").stdout == DONE.format("v1.0")


def test_it_runs_below_the_top_of_the_repository(repository: Repository) -> None:
    repository.commit("service/app/flows.py", BEFORE)
    repository.commit("service/pyproject.toml", "[tool.persistc]\nsource = ['app']\n")
    repository.write("service/app/flows.py", NOW)
    service = Repository(repository.root / "service")
    assert service.keep("GreetingFlow.greet").exit_code == 0
    assert KEPT in service.read("app/flows.py")


# --- what is wrong afterwards ---------------------------------------------------------------------------------------


def test_what_is_wrong_then_is_shown(changed: Repository) -> None:
    changed.write(
        "loud.py",
        "from flows import GreetingFlow\nfrom persistasaurus import flow\n\n\n"
        "class LoudFlow(GreetingFlow):\n    @flow\n    async def greet(self, name: str) -> str:\n"
        "        return name\n",
    )
    ended = changed.keep("GreetingFlow.greet")
    assert ended.exit_code == 1
    assert "error[PST018]: version 1 of flow `greet` overrides version 2 of it" in ended.stdout
    assert "takes version 1 of it from `GreetingFlow`" in ended.stdout
    assert "run `persistc generate`" not in ended.stdout


def test_other_files_are_not_kept_and_named_where_they_changed(repository: Repository) -> None:
    repository.commit("app/__init__.py", "")
    repository.commit("app/prices.py", "def total() -> int:\n    return 1\n")
    repository.commit("app/same.py", "def other() -> int:\n    return 1\n")
    repository.commit("app/base.py", "class Base:\n    def _note(self) -> None: ...\n")
    flows = (
        "from persistasaurus import flow\n\nfrom . import prices\nfrom .base import Base\nfrom .prices import total\n"
        "from .same import other\n\n\nclass Local:\n    def _mine(self) -> int:\n        return 1\n\n\n"
        "class PriceFlow(Base, Local):\n    @flow\n    async def price(self) -> int:\n        self._note()\n"
        "        return total() + prices.total() + other() + self._mine()\n"
    )
    repository.commit("app/flows.py", flows)
    repository.write("app/prices.py", "def total() -> int:\n    return 2\n")
    repository.write("app/base.py", "class Base:\n    def _note(self) -> None:\n        print()\n")
    changed = flows.replace("self._note()", "pass").replace("        return 1\n", "        return 2\n")
    repository.write("app/flows.py", changed)

    ended = repository.keep("PriceFlow.price")
    assert ended.stdout.splitlines()[2:-1] == [
        "look at this:",
        "  total is from app/prices.py, which has changed: see that it does what it did",
        "  prices is from app/prices.py, which has changed: see that it does what it did",
        "  _note is inherited from Base in app/base.py, which has changed: see that it does what it did",
        "  _mine is inherited from Local, which has changed: see that it does what it did",
    ]


# --- what cannot be kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("greet",), "there is no flow greet: name one of GreetingFlow.greet"),
        (("GreetingFlow.gret",), "there is no flow GreetingFlow.gret: did you mean GreetingFlow.greet?"),
        (("GreetingFlow.say",), "GreetingFlow.say is a step, and only flows have versions: name the flow that"),
        (("GreetingFlow.greet", "--ref", "gone"), "git knows no commit `gone` here: name a branch, a tag or a commit"),
        (("GreetingFlow.greet", "--ref=--all"), "git knows no commit `--all` here: name a branch, a tag or a commit"),
        (("GreetingFlow.greet", "--ref", "HEAD:flows.py"), "git knows no commit `HEAD:flows.py` here"),
    ],
)
def test_a_wrong_flow_or_commit_is_told(changed: Repository, arguments: tuple[str, ...], message: str) -> None:
    ended = changed.keep(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"persistc: {message}")
    assert changed.read("flows.py") == NOW


@pytest.mark.parametrize(
    ("before", "now", "name", "message"),
    [
        ("", NOW, "GreetingFlow.greet", "flows.py has no GreetingFlow.greet at HEAD: a new flow has no old body"),
        ("class A(:\n", NOW, "GreetingFlow.greet", "flows.py:1 at HEAD: Python cannot read this file: "),
        (BEFORE, NOW + "def f(:\n", "GreetingFlow.greet", "there is no flow GreetingFlow.greet, and flows.py:16: "),
        (BEFORE.replace("@flow", "@step"), NOW, "GreetingFlow.greet", "GreetingFlow.greet is no flow at HEAD, so no"),
        (
            BEFORE.replace("class GreetingFlow:", "import abc\n\n\nclass GreetingFlow:").replace(
                "    @flow", "    @flow\n    @abc.abstractmethod"
            ),
            NOW,
            "GreetingFlow.greet",
            "GreetingFlow.greet is abstract at HEAD, so no flow started on it",
        ),
        (
            BEFORE,
            f"{NOW}\n\nclass LoudFlow(GreetingFlow): ...\n",
            "LoudFlow.greet",
            "LoudFlow.greet is defined in GreetingFlow: run `persistc keep GreetingFlow.greet`",
        ),
        (
            f"{BEFORE}\n\nclass LoudFlow(GreetingFlow): ...\n",
            f"{BEFORE}\n\nclass LoudFlow(GreetingFlow):\n    @flow(version=2)\n"
            "    async def greet(self, name: str) -> str:\n        return name\n",
            "LoudFlow.greet",
            "LoudFlow.greet is new since HEAD, and before that flows of LoudFlow ran the body of GreetingFlow: keep it",
        ),
        (
            BEFORE,
            NOW.replace("    @flow", "    if True:\n     @flow").replace("    async def greet", "     async def greet"),
            "GreetingFlow.greet",
            "GreetingFlow.greet is defined under a condition: define it once, in the class itself",
        ),
        (
            BEFORE,
            NOW.replace("@flow\n", "@flow(version=2)\n").replace("    @step", f"{KEPT}\n    @step"),
            "GreetingFlow.greet_v1",
            "GreetingFlow.greet_v1 is a kept body, version 1 of greet: name the flow, GreetingFlow.greet",
        ),
        ("", "", "GreetingFlow.greet", "there is no flow GreetingFlow.greet: the project has no flows"),
    ],
    ids=(
        "new",
        "unreadable then",
        "unreadable now",
        "step then",
        "abstract",
        "inherited",
        "overridden",
        "conditional",
        "kept",
        "no",
    ),
)
def test_a_flow_without_a_body_to_keep_is_told(
    repository: Repository, before: str, now: str, name: str, message: str
) -> None:
    repository.commit("flows.py", before)
    repository.write("flows.py", now)
    ended = repository.keep(name)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"persistc: {message}")


def test_a_file_that_was_never_committed_is_told(repository: Repository) -> None:
    repository.commit("other.py", "")
    repository.write("flows.py", NOW)
    ended = repository.keep("GreetingFlow.greet")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("persistc: flows.py is not in HEAD, not under another name either: name a commit")


def test_a_repository_without_a_commit_is_told(repository: Repository) -> None:
    repository.write("flows.py", NOW)
    assert "git knows no commit `HEAD` here" in repository.keep("GreetingFlow.greet").stderr


def test_a_project_without_a_repository_is_told(changed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(changed.root.parent))  # whatever temporary folders are in
    (changed.root / ".git").rename(changed.root / "nothing")
    ended = changed.keep("GreetingFlow.greet")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "persistc: flows.py is in no git repository, so what it was earlier is not known: commit it first\n",
    )


def test_a_machine_without_git_is_told(changed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(changed.root))
    ended = changed.keep("GreetingFlow.greet")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "persistc: git is not installed, or not on the path, and what files were earlier is in git\n",
    )


def test_one_of_several_classes_is_meant_by_its_module(repository: Repository) -> None:
    for folder in ("shop", "office"):
        repository.commit(f"{folder}/__init__.py", "")
        repository.commit(f"{folder}/flows.py", BEFORE)
        repository.write(f"{folder}/flows.py", NOW)
    ended = repository.keep("GreetingFlow.greet")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "persistc: several classes are called GreetingFlow: say which one is meant, one of "
        "office.flows.GreetingFlow.greet, shop.flows.GreetingFlow.greet\n",
    )
    assert repository.keep("office.flows.GreetingFlow.greet").exit_code == 0
    assert KEPT in repository.read("office/flows.py")
    assert repository.read("shop/flows.py") == NOW
