"""Expressions written again mean what they meant: held against Python's own parser, over modules of its library."""

from __future__ import annotations

import ast
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

from persistc.expression_text import expression_text
from persistc.lower.expressions import Expressions
from persistc.parse import Tree, parse
from persistc.sources import source_file

LIBRARY = Path(sysconfig.get_path("stdlib"))


def tree_of(text: str) -> Tree:
    path = str(LIBRARY / "module.py")
    tree = parse(text, source_file(path, str(LIBRARY)))
    assert isinstance(tree, Tree)
    return tree


def outermost(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """The expressions of a module that stand in no other."""
    for child in node.children:
        if isinstance(child, cst.BaseExpression):
            yield child
        else:
            yield from outermost(child)


def meaning(text: str) -> str | None:
    try:
        return ast.dump(ast.parse(f"({text}\n)", mode="eval"))
    except SyntaxError:
        return None  # what is no expression by itself, as `*args`


@pytest.mark.parametrize("module", ["aifc", "ast", "base64", "enum", "inspect", "statistics", "typing"])
def test_an_expression_of_the_library_means_the_same(module: str) -> None:
    path = LIBRARY / f"{module}.py"
    if not path.exists():
        pytest.skip(f"this Python has no {module}")
    with tokenize.open(path) as stream:
        tree = tree_of(stream.read())
    expressions = Expressions.of(tree)
    compared = 0
    for node in outermost(tree.module):
        before = meaning(tree.text(node))
        if before is not None:
            written = expression_text(expressions.lower(node))
            assert meaning(written) == before, tree.text(node)
            assert "\n" not in written
            compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("dict[str,list[int]]", "dict[str, list[int]]"),
        ("(A|B)|C", "A | B | C"),
        ("A|(B|C)", "A | (B | C)"),
        ("-x ** 2", "-(x**2)"),
        ("(a + b) * c", "(a + b) * c"),
        ("a or (b and not c)", "a or b and not c"),
        ("'plain'", '"plain"'),
        ("'a \"quoted\" one'", "'a \"quoted\" one'"),
        ("sum((x for x in y))", "sum(x for x in y)"),
        ("{'a':1,**b}", '{"a": 1, **b}'),
        ("f(\n    1,  # one\n    2,\n)", "f(1, 2)"),
        ("lambda a: (a,\n    b)", "lambda a: (a, b)"),
        ("(1,)", "(1,)"),
        ("a if b else (c if d else e)", "a if b else c if d else e"),
        ("x[1:2, ...]", "x[1:2, ...]"),
    ],
)
def test_an_expression_is_written_as_black_would(written: str, expected: str) -> None:
    tree = tree_of(f"value = {written}\n")
    node = next(each for each in outermost(tree.module) if not isinstance(each, cst.Name))
    assert expression_text(Expressions.of(tree).lower(node)) == expected
