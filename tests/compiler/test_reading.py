"""What persistc finds in source files: decorators, names, types and bases, however and wherever they are written."""

from __future__ import annotations

import sys

import pytest

from tests.compiler.projects import FLOWS, Project

PROXY = "flows_durable.py"


def imports(project: Project, name: str) -> list[str]:
    """The import statements of a generated file."""
    text = project.read(name).partition("@_p.proxy")[0]
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def generated(project: Project, *names: str) -> None:
    """Generate, and see that exactly the proxies of these modules are there and can be imported."""
    ended = project.persistc("generate")
    assert (ended.exit_code, ended.stderr) == (0, ""), ended.stdout
    found = [path.relative_to(project.root).as_posix() for path in project.root.rglob("*_durable.py")]
    assert sorted(found) == sorted(names)


# --- decorators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "mark"),
    [
        ("from persistasaurus import step", "step"),
        ("from persistasaurus import step", "step()"),
        ("from persistasaurus import step as task", "task"),
        ("from persistasaurus import step as task", "task(at_most_once=True)"),
        ("import persistasaurus", "persistasaurus.step"),
        ("import persistasaurus as ps", "ps.step(delay=None)"),
        ("import persistasaurus.marks", "persistasaurus.marks.step"),
        ("from persistasaurus.marks import step as s", "s"),
    ],
)
def test_a_decorator_is_known_under_any_alias_and_in_any_form(project: Project, statement: str, mark: str) -> None:
    project.write("flows.py", f"{statement}\n\nclass F:\n    @{mark}\n    def one(self) -> int:\n        return 1\n")
    generated(project, PROXY)
    assert "return _p.plain_step(super().one)" in project.read(PROXY)
    assert project.python("import flows_durable").stderr == ""


def test_a_decorator_may_come_through_a_module_of_the_project(project: Project) -> None:
    """The file with the flow class does not say `persistasaurus` anywhere."""
    project.write("durable.py", "from persistasaurus import flow as workflow, step as task\n")
    project.write("flows.py", FLOWS.replace("from persistasaurus", "from durable").replace("step", "task"))
    project.write("flows.py", project.read("flows.py").replace("import flow", "import workflow as flow"))
    generated(project, PROXY)
    assert "_p.flow(super().greet, name)" in project.read(PROXY)
    assert "_p.step(super().say, name)" in project.read(PROXY)


def test_other_decorators_of_such_names_are_none_of_our_business(project: Project) -> None:
    project.write("steps.py", "from behave import step\n\n@step('I wait')\ndef wait(context): ...\n")
    project.write("other.py", "import prefect\n\nclass F:\n    @prefect.flow\n    def run(self): ...\n")
    generated(project)


# --- bases ----------------------------------------------------------------------------------------------------------


def test_a_class_that_only_inherits_flows_has_a_proxy(project: Project) -> None:
    project.write("app/__init__.py", "from .flows import GreetingFlow as Greeting\n")
    project.write("app/flows.py", FLOWS)
    project.write("app/loud.py", "from . import Greeting\n\nclass LoudFlow(Greeting): ...\n")
    project.write("loudest.py", "import app.loud\n\nclass LoudestFlow(app.loud.LoudFlow): ...\n")
    project.write("starred.py", "from loudest import *\n\nclass StarredFlow(LoudestFlow): ...\n")
    generated(project, "app/flows_durable.py", "app/loud_durable.py", "loudest_durable.py", "starred_durable.py")
    for name in ("app/loud_durable.py", "loudest_durable.py", "starred_durable.py"):
        assert "return await _p.flow(super().greet, name)" in project.read(name)
        assert "return await _p.step(super().say, name)" in project.read(name)
    code = "import app.flows_durable, app.loud_durable, loudest_durable, starred_durable"
    assert project.python(code).stderr == ""


def test_a_star_import_of_a_module_of_the_project_hides_nothing(project: Project) -> None:
    project.write("app/__init__.py", "")
    project.write("app/names.py", "class Declined(Exception): ...\n\n\nTags = set[str]\n")
    project.write("app/types.py", "from .names import *\n")
    project.write(
        "app/flows.py",
        """\
        from persistasaurus import flow, step

        from .types import *

        class TagFlow:
            @flow
            async def run(self, tags: set[str]) -> None:
                try:
                    for tag in tags:
                        await self.act(tag)
                except (Declined, ValueError):
                    pass

            @step
            async def act(self, tag: str) -> None: ...
        """,
    )
    found = project.persistc("check", "--output-format", "concise").stdout
    assert found.splitlines()[0].startswith("app/flows.py:9:24: error[PST206] ")
    assert "Found 1 error." in found


def test_several_bases_are_looked_up_in_pythons_order(project: Project) -> None:
    project.write("pkg/__init__.py", "")
    project.write(
        "pkg/bases.py",
        """\
        from persistasaurus import step

        class Root:
            @step
            async def one(self, number: int) -> int:
                return number

        class Left(Root): ...

        class Right(Root):
            @step
            async def one(self, number: int, more: str = "") -> int:
                return number
        """,
    )
    project.write("pkg/flows.py", "from .bases import Left, Right\n\nclass Both(Left, Right): ...\n")
    generated(project, "pkg/bases_durable.py", "pkg/flows_durable.py")
    assert 'async def one(self, number: int, more: str = "") -> int:' in project.read("pkg/flows_durable.py")
    assert project.python("import pkg.flows_durable").stderr == ""


@pytest.mark.parametrize(
    "abstract",
    [
        "from abc import ABC\nclass F(ABC):\n    @step\n    def one(self) -> int: return 1",
        "import abc\nclass F(metaclass=abc.ABCMeta):\n    @step\n    def one(self) -> int: return 1",
        "from abc import abstractmethod as open\nclass F:\n    @open\n    @step\n    def one(self) -> int: ...",
        "import typing as t\nclass F(t.Protocol):\n    @step\n    def one(self) -> int: return 1",
    ],
)
def test_an_abstract_flow_class_has_no_proxy(project: Project, abstract: str) -> None:
    project.write("flows.py", f"from persistasaurus import step\n{abstract}\n")
    generated(project)


def test_a_class_that_closes_what_its_base_left_open_has_a_proxy(project: Project) -> None:
    project.write(
        "flows.py",
        """\
        from abc import ABC, abstractmethod
        from persistasaurus import step

        class Open(ABC):
            @abstractmethod
            @step
            def one(self) -> int: ...

        class StillOpen(Open):
            @step
            def two(self) -> int: return 2

        class Closed(StillOpen):
            @step
            def one(self) -> int: return 1
        """,
    )
    generated(project, PROXY)
    assert "class DurableClosed(" in project.read(PROXY)
    assert "Open" not in project.read(PROXY)


# --- names ----------------------------------------------------------------------------------------------------------


def test_only_what_is_needed_is_imported_and_type_checking_becomes_real_only_there(project: Project) -> None:
    project.write("app/__init__.py", "")
    project.write("app/users.py", "class Users: ...\nUserId = int\n")
    project.write(
        "app/flows.py",
        """\
        from __future__ import annotations
        import json
        from typing import TYPE_CHECKING
        from datetime import datetime, timedelta
        from persistasaurus import step
        if TYPE_CHECKING:
            from decimal import Decimal
            from .users import UserId, Users

        class F:
            def __init__(self, users: Users) -> None: ...
            @step(delay=timedelta(days=1))
            def one(self, user: UserId, at: "datetime | None") -> int:
                return json.loads("1")
        """,
    )
    generated(project, "app/flows_durable.py")
    assert imports(project, "app/flows_durable.py") == [
        "from datetime import datetime",
        "import persistasaurus.generated as _p",
        "from .flows import F",
        "from .users import UserId",
    ]
    assert project.python("import app.flows_durable").stderr == ""


def test_a_module_outside_of_packages_is_imported_by_its_name(greeting: Project) -> None:
    generated(greeting, PROXY)
    assert imports(greeting, PROXY)[-1] == "from flows import GreetingFlow"
    assert greeting.python("import flows_durable").stderr == ""


def test_folders_without_init_count_below_src_and_where_the_user_imports_through_them(project: Project) -> None:
    project.write("pyproject.toml", "")
    project.write("src/space/base.py", FLOWS)
    project.write("space/tools/types.py", "Name = str\n")
    project.write("space/tools/flows.py", "from space.tools.types import Name\n" + FLOWS.replace("str", "Name"))
    generated(project, "src/space/base_durable.py", "space/tools/flows_durable.py")
    assert imports(project, "src/space/base_durable.py")[-1] == "from space.base import GreetingFlow"
    assert imports(project, "space/tools/flows_durable.py")[-2:] == [
        "from space.tools.flows import GreetingFlow",
        "from space.tools.types import Name",
    ]
    assert project.python("import space.tools.flows_durable").stderr == ""


def test_names_of_the_class_body_are_found_in_types_and_defaults(project: Project) -> None:
    project.write(
        "flows.py",
        """\
        from enum import Enum
        from persistasaurus import step

        class F:
            LIMIT = 3
            class Size(Enum):
                SMALL = 1
            @step
            def one(
                self, size: Size = Size.SMALL, limit: int = LIMIT + 1, text: str = f"at most {LIMIT}"
            ) -> "list[Size]":
                return [size]
        """,
    )
    generated(project, PROXY)
    text = project.read(PROXY)
    assert "size: F.Size = F.Size.SMALL," in text
    assert "limit: int = F.LIMIT + 1," in text
    assert 'text: str = f"at most {F.LIMIT}",' in text
    assert ") -> list[F.Size]:" in text
    assert project.python("import flows_durable").stderr == ""


def test_an_inherited_name_that_means_something_else_here_gets_an_underscore(project: Project) -> None:
    project.write("pkg/__init__.py", "")
    project.write("pkg/base.py", "Item = int\n" + FLOWS.replace("str", "Item"))
    project.write(
        "pkg/flows.py",
        """\
        from persistasaurus import step
        from .base import GreetingFlow

        Item = bytes

        class F(GreetingFlow):
            @step
            def one(self, item: Item) -> None: ...
        """,
    )
    generated(project, "pkg/base_durable.py", "pkg/flows_durable.py")
    text = project.read("pkg/flows_durable.py")
    assert "def one(self, item: Item) -> None:" in text
    assert "def say(self, name: _Item) -> _Item:" in text
    assert "from .base import Item as _Item" in text
    assert project.python("import pkg.flows_durable").stderr == ""


def test_a_name_that_is_bound_in_two_ways_is_taken_from_the_module(project: Project) -> None:
    project.write(
        "flows.py",
        """\
        from persistasaurus import step
        try:
            from tomllib import TOMLDecodeError as Wrong
        except ImportError:
            Wrong = ValueError
        if True:
            from decimal import Decimal as Number
        else:
            Number = int

        class F:
            @step(raises=(Wrong,))
            def one(self, number: Number) -> None: ...
        """,
    )
    generated(project, PROXY)
    assert imports(project, PROXY)[-1] == "from flows import F, Number, Wrong"
    assert project.python("import flows_durable").stderr == ""


def test_the_error_table_follows_constants_aliases_and_imports_in_bodies(project: Project) -> None:
    project.write(
        "errors.py", "class A(Exception): ...\nclass B(Exception): ...\nclass C(Exception): ...\nAB = (A, B)\n"
    )
    project.write(
        "flows.py",
        """\
        import errors
        from errors import AB
        from persistasaurus import flow, step

        class F:
            @flow
            async def run(self) -> int:
                from errors import C as Late
                try:
                    return await self.one()
                except (Late, ValueError, KeyError):
                    return 0

            @step(raises=AB)
            async def one(self) -> int: return 1

            @step(raises=(errors.A, OSError))
            async def two(self) -> int: return 1
        """,
    )
    generated(project, PROXY)
    assert "@_p.proxy(raises=(Late, A, B))" in project.read(PROXY)
    assert "from errors import C as Late" in imports(project, PROXY)
    assert project.python("import flows_durable").stderr == ""


# --- syntax and encodings -------------------------------------------------------------------------------------------


def test_type_statements_are_read_by_every_python(project: Project) -> None:
    project.write(
        "flows.py",
        """\
        from persistasaurus import step

        type UserId = int
        type Pair[T] = tuple[T, T]

        class F:
            @step
            def one(self, user: UserId | None, pair: Pair[str]) -> UserId:
                return 1
        """,
    )
    generated(project, PROXY)
    assert imports(project, PROXY)[-1] == "from flows import F, Pair, UserId"
    if sys.version_info >= (3, 12):
        assert project.python("import flows_durable").stderr == ""


def test_a_syntax_error_of_a_module_that_flow_code_calls_is_shown(project: Project) -> None:
    project.write(
        "flows.py",
        FLOWS.replace("class Greeting", "from util import trimmed\n\n\nclass Greeting").replace(
            "self.say(name)", "self.say(trimmed(name))"
        ),
    )
    project.write("util.py", "def trimmed(\n")
    project.write("unasked.py", "def nobody_imports_this(\n")
    found = project.persistc("check", "--output-format", "concise")
    assert found.exit_code == 1
    assert "util.py:1:12: error[PST001] Python cannot read this file: '(' was never closed\n" in found.stdout
    assert "unasked.py" not in found.stdout


def test_a_syntax_error_is_shown_where_python_sees_it(project: Project) -> None:
    project.write("flows.py", FLOWS.replace("name: str)", "name: str", 1))
    ended = project.persistc("check", "--output-format", "concise")
    assert ended.exit_code == 1
    assert ended.stdout.startswith("flows.py:8:37: error[PST001] ")


def test_broken_files_that_have_nothing_to_do_with_us_are_passed_by(greeting: Project) -> None:
    greeting.write("template.py", "{{ cookiecutter.name }} = (\n")
    greeting.write("uses.py", "import flows\nclass Broken(flows.GreetingFlow\n")
    (greeting.root / "binary.py").write_bytes(b"\xff\xfe\x00")
    generated(greeting, PROXY)


def test_a_file_about_us_that_is_no_text_is_a_finding(greeting: Project) -> None:
    (greeting.root / "binary.py").write_bytes(b"import persistasaurus\xff\xfe\x00")
    ended = greeting.persistc("generate")
    assert ended.exit_code == 1
    assert "error[PST002]" in ended.stdout
    assert "binary.py" in ended.stdout


def test_an_expression_of_600_levels_is_read_and_one_python_cannot_hold_is_a_finding(project: Project) -> None:
    project.write("flows.py", f"{FLOWS}\nBIG = {' + '.join('1' for _ in range(600))}\n")
    generated(project, PROXY)
    project.write("flows.py", f"{FLOWS}\nBIG = {' + '.join('1' for _ in range(30_000))}\n")
    ended = project.persistc_process("check")
    assert ended.exit_code == 1
    assert "error[PST001]" in ended.stdout


def test_an_expression_the_compiler_has_no_room_for_says_what_to_do(project: Project) -> None:
    project.write("flows.py", f"{FLOWS}\nBIG = {' + '.join('1' for _ in range(600))}\n")
    little_room = "import persistc.__main__ as command; command.RECURSION_LIMIT = 0; print(command.main(['check']))"
    ended = project.python(little_room)
    assert ended.stdout == (
        "error[PST002]: this file cannot be read: an expression in it is nested too deeply\n"
        " --> flows.py\n"
        "  = help: split it into several, or build it in a loop: 600 levels (`a + b + ...`) are always read\n"
        "\n"
        "Found 1 error. `persistc explain PST002` says more.\n"
        "1\n"
    )


def test_encodings_byte_order_marks_and_line_ends_are_read_as_python_reads_them(project: Project) -> None:
    text = FLOWS.replace('f"hello {name}"', '"ä"').replace("name: str)", 'name: str = "ä")')
    (project.root / "latin.py").write_bytes(b"# -*- coding: latin-1 -*-\n" + text.encode("latin-1"))
    (project.root / "marked.py").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    generated(project, "latin_durable.py", "marked_durable.py")
    for name in ("latin", "marked"):
        assert 'async def say(self, name: str = "ä") -> str:' in project.read(f"{name}_durable.py")
        assert project.python(f"import {name}_durable").stderr == ""


def test_docstrings_with_quotes_and_backslashes_come_out_as_they_were(project: Project) -> None:
    docstring = 'Say \\"\\"\\"hello\\"\\"\\" \\\\ \\t \\x07 to \\"you\\"'
    project.write("flows.py", FLOWS.replace("Greet somebody.", docstring))
    generated(project, PROXY)
    code = """
    import ast, inspect, flows
    stub = ast.parse(open("flows_durable.pyi").read())
    texts = [node.value.value for cls in stub.body if isinstance(cls, ast.ClassDef)
             for node in cls.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    assert texts == [inspect.getdoc(flows.GreetingFlow.greet)], texts
    """
    assert project.python(code).stderr == ""
