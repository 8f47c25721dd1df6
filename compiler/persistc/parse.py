"""From text to a libcst tree with positions; text that is not Python becomes a finding."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, PositionProvider

from persistc.diagnostics import Diagnostic
from persistc.findings_of_files import syntax_error
from persistc.sources import SourceFile
from persistc.spans import Position, Span


@dataclass(frozen=True)
class Tree:
    """A parsed module; `positions` knows every node of it."""

    module: cst.Module
    positions: Mapping[cst.CSTNode, CodeRange]
    lines: Sequence[str]
    """The text, line by line."""

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands."""
        found = self.positions[node]
        return Span(Position(found.start.line, found.start.column), Position(found.end.line, found.end.column))

    def source(self, span: Span) -> str:
        """The text between two positions of the file."""
        lines = list(self.lines[span.start.line - 1 : span.end.line])
        lines[-1] = lines[-1][: span.end.column]
        lines[0] = lines[0][span.start.column :]
        return "\n".join(lines)

    def text(self, node: cst.CSTNode) -> str:
        """A node as it is written, without space or parentheses around it."""
        if node in self.positions:
            return self.source(self.span(node))
        return self.module.code_for_node(node).strip()  # of a type in quotes, which was parsed by itself


def parse(text: str, source: SourceFile) -> Tree | Diagnostic:
    """The tree of a module, or the finding that says where it stops being Python."""
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError) as error:
        return syntax_error(source.file, _located(text, error))
    return Tree(module, _Positions().of(module), re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")))


def refused_by_python(text: str) -> SyntaxError | None:
    """Why Python does not compile a text that its parser accepts: `await` outside `async def`, an argument twice."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<source>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None  # a matter of depth, of which the stages after this one have a word of their own
    return None


class _Positions(PositionProvider):
    """The positions without a `MetadataWrapper`, which would copy the tree or visit every node of it for nothing."""

    def of(self, module: cst.Module) -> Mapping[cst.CSTNode, CodeRange]:
        self._gen_impl(module)
        return {node: found for node, found in self._computed.items() if isinstance(found, CodeRange)}


def _located(text: str, error: Exception) -> SyntaxError:
    """The error as Python itself tells it: libcst's positions are those of the token where it gave up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as located:
        return located
    except (ValueError, RecursionError) as unlocated:
        return SyntaxError(str(unlocated))
    if isinstance(error, cst.ParserSyntaxError):
        line = error.raw_line
        return SyntaxError(error.message, ("", line, error.raw_column + 1, None))
    return SyntaxError(str(error))
