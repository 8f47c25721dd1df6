"""Two front ends, one tree: libcst reads the bodies of flow classes, `ast` those of the code that flows call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from persistc.checks import check
from persistc.configuration import Configuration
from persistc.flow_tree import NODES, Node, walk
from persistc.model import Method
from persistc.reading import Reading, read_project
from persistc.sources import find_sources
from tests.compiler.projects import REPOSITORY, Project

FLOW_MODULES = (
    *(path for path in sorted((REPOSITORY / "tests" / "runtime").rglob("flows_*.py")) if "durable" not in path.stem),
    *sorted((REPOSITORY / "tests" / "compiler" / "corpus").rglob("*.py")),
    *sorted((REPOSITORY / "examples").rglob("flows.py")),
)
EVERY_FORM = '''\
"""Every form of expression and statement."""

from persistasaurus import flow, step


class Forms:
    @flow
    async def every(self, a, *b, c=1, **d):
        """Every form."""
        import os.path as p, re
        from . import sibling
        from .sibling import one as two
        x: "dict[str, int]" = {**a, "k": 1, **d}
        x = y = z = (1, *b, [2], {3, 4}, ...)
        x += -1 if not a else ~2
        a.b[1:2, ::3].c[0] @= 1 << 2 | 3 & 4 ^ 5
        del x, y[0]
        assert a, "message"
        global g
        if a and b or c is not None and d not in (1,):
            pass
        elif 1 < a < 3:
            raise ValueError("no") from None
        else:
            await a(*b, c, k=c, **d)
            return
        for i, (j, *k) in enumerate(b):
            continue
        else:
            print(f"{i!r:>{j}} {k}", "a" "b", b"c", 1j, 1.5, r"\\d")
        async for i in a:
            break
        while (n := a()) > 1:
            yield n
        with a as q, b as (r, s), c:
            yield
        async with a:
            lambda u, /, v=1, *w, t, **x: (u, v)
        try:
            [i for i in a if i for j in i], {i async for i in a}, {i: j for i, j in a}
        except (ValueError, TypeError) as error:
            raise
        except OSError:
            sum(i for i in a)
        else:
            nonlocal_ = True
        finally:
            a.b.c()
        try:
            pass
        except* ValueError:
            pass

        @a.decorated(1)
        async def nested(m, *n, o=1, **p):
            def inner():
                yield from m

            return inner

        @a
        class Local(a):
            x = 1

        match a:
            case {"k": v, **rest} if v:
                pass
            case [1, *others] | Forms(a=others):
                pass
            case None | _:
                pass
'''


def read(folder: Path, source: Path) -> Reading:
    configuration = Configuration(root=folder, source=(source,))
    return read_project(find_sources((), configuration).sources, configuration)


def shape(node: Node) -> tuple[object, ...]:
    """A node without places and without the texts of those that have no form of their own."""
    return (type(node).__name__, *(_value(getattr(node, field.name)) for field in fields(node) if _counts(field.name)))


def _counts(field: str) -> bool:
    return field not in {"span", "text", "pattern", "keyword"}


def _value(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_value(each) for each in value)
    return shape(value) if isinstance(value, NODES) else value


def both(reading: Reading) -> Iterator[tuple[Method, Method]]:
    """Each method as libcst and as `ast` read it."""
    for module in reading.project.modules.values():
        for cls in module.classes:
            for name, method in cls.by_name.items():
                yield method, reading.project.functions[f"{cls.qualified}.{name}"]


@pytest.mark.parametrize("path", FLOW_MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_both_read_the_same_bodies(path: Path) -> None:
    for one, other in both(read(REPOSITORY, path)):
        assert [shape(node) for node in one.body] == [shape(node) for node in other.body]
        assert (one.is_async, one.is_generator) == (other.is_async, other.is_generator)


def test_both_read_every_form_alike_and_at_the_same_place(project: Project) -> None:
    project.write("sibling.py", "one = 1\n")
    (pair,) = both(read(project.root, project.write("flows.py", EVERY_FORM)))
    one, other = pair
    assert [shape(node) for node in one.body] == [shape(node) for node in other.body]
    names = {"Name", "Attribute", "Call", "Await", "Subscript", "Constant"}
    assert [(type(node).__name__, node.span) for node in walk(*one.body) if type(node).__name__ in names] == [
        (type(node).__name__, node.span) for node in walk(*other.body) if type(node).__name__ in names
    ]


def test_only_what_flows_reach_is_read(project: Project) -> None:
    project.write(
        "reached.py",
        """
        from further import g
        from unreached import h


        def f() -> int:
            return g()


        def not_called() -> int:
            return h()
        """,
    )
    project.write("further.py", "def g() -> int:\n    return 1\n")
    project.write("unreached.py", "def h() -> int:\n    return 1\n")
    project.write(
        "flows.py",
        """
        from persistasaurus import flow
        from reached import f


        class OrderFlow:
            @flow
            async def order(self) -> int:
                return f()
        """,
    )
    reading = read(project.root, project.root)
    assert check(reading.project) == []
    assert {Path(file).name for file in reading.texts} == {"flows.py", "reached.py", "further.py"}


@pytest.mark.parametrize("text", ["def f(:\n", "def f():\n    return " + "+".join(["1"] * 30_000) + "\n", "\0"])
def test_a_file_that_cannot_be_read_is_one_nobody_can_see_into(project: Project, text: str) -> None:
    project.write("broken.py", text)
    project.write(
        "flows.py",
        """
        from persistasaurus import flow
        from broken import f


        class OrderFlow:
            @flow
            async def order(self) -> int:
                return f()
        """,
    )
    reading = read(project.root, project.root)
    assert [(each.code, each.start.line) for each in check(reading.project)] == [("PST220", 9)]
