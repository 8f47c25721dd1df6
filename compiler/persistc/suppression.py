"""Findings that a comment allows: `# persistc: allow[PST205] reason`, in their statement or on the line above it.

It comes after all checks, as a function over findings and texts: no check knows of it.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from persistc.diagnostics import Code, Diagnostic, Severity
from persistc.spans import Span

_MARK = "persistc:"
_COMMENT = re.compile(r"#\s*persistc:\s*(?P<rest>.*)$")
_ALLOW = re.compile(r"allow\s*\[(?P<codes>[^\]]*)\]\s*:?\s*(?P<reason>.*)$")
_SHAPE = "`# persistc: allow[PST205] why it is harmless here`"
_ERRORS_OF_THE_MODEL = frozenset({Code.EXCEPTION_NOT_REBUILT})
_UNREAD = frozenset({Code.SYNTAX_ERROR, Code.UNREADABLE_SOURCE})


def is_allowable(code: Code) -> bool:
    """Whether the code that is generated is right in spite of such a finding: those about the bodies of flows."""
    return code >= "PST100" and code not in _ERRORS_OF_THE_MODEL


def honoured(
    findings: Iterable[Diagnostic],
    texts: Mapping[str, str],
    is_undecided: Callable[[str, int, Code], bool] = lambda file, line, code: False,
) -> list[Diagnostic]:
    """The findings without those that a comment allows, with those about such comments.

    Args:
        findings: What the checks have found.
        texts: The files whose comments count, by the name that findings show.
        is_undecided: Whether a check that did not run may find something there, so that a comment is not unused.
    """
    left = list(findings)
    unread = {finding.file for finding in left if finding.code in _UNREAD}
    for file, text in texts.items():
        if _MARK in text and file not in unread:
            left = _honoured_in(file, text, left, is_undecided)
    return left


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One code that a comment allows in one statement."""

    code: Code
    line: int
    """Where the comment stands, or the line below one that stands alone."""
    lines: range
    """Those of the statement, of one with a block those before the block."""
    span: Span
    """Of the code in the comment."""
    is_only: bool
    """The comment allows nothing else."""


def _honoured_in(
    file: str, text: str, findings: list[Diagnostic], is_undecided: Callable[[str, int, Code], bool]
) -> list[Diagnostic]:
    allowed: list[_Allowed] = []
    left: list[Diagnostic] = []
    for said in _said(file, text):
        if isinstance(said, _Allowed):
            allowed.append(said)
        else:
            left.append(said)
    used: set[_Allowed] = set()
    for finding in findings:
        is_here = finding.file == file and finding.span is not None
        allowing = [each for each in allowed if is_here and _allows(each, finding)]
        if not allowing:
            left.append(finding)
        # Of several in one statement the one on its line, so that the others are not taken to be of use.
        used.update([each for each in allowing if each.line == finding.start.line] or allowing)
    unused = (each for each in allowed if each not in used)
    return left + [
        _unused(file, each)
        for each in unused
        if not any(is_undecided(file, line, each.code) for line in (each.line, *each.lines))
    ]


def _allows(allowed: _Allowed, finding: Diagnostic) -> bool:
    line = finding.start.line
    return allowed.code is finding.code and (line == allowed.line or line in allowed.lines)


def _said(file: str, text: str) -> Iterator[_Allowed | Diagnostic]:
    """What the comments of a file allow, and what is wrong with them."""
    lines = io.StringIO(text, newline=None).readlines()
    statements = tuple(_statements("".join(lines)))
    for token in _comments(lines):
        found = _COMMENT.search(token.string)
        if found is not None:
            line, column = token.start
            end = column + len(token.string.rstrip())
            is_alone = not lines[line - 1][:column].strip()
            place = _line_below(lines, line) if is_alone else line
            around = max((each for each in statements if place in each), key=lambda each: each.start, default=range(0))
            yield from _read(file, found, Span.within_line(line, column + found.start(), end), place, around)


def _comments(lines: list[str]) -> Iterator[tokenize.TokenInfo]:
    try:
        for token in tokenize.generate_tokens(iter(lines).__next__):
            if token.type == tokenize.COMMENT and _MARK in token.string:
                yield token
    except (tokenize.TokenError, SyntaxError):
        return  # text that Python reads and `tokenize` does not: what was seen before that counts


def _statements(text: str) -> Iterator[range]:
    """The lines of each statement; of one that holds others, those before the first of them."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # newer than this Python, or too deep: a comment counts on its line
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        blocks = [part for name in _BLOCKS if isinstance(part := getattr(node, name, None), list)]
        nodes += [each for block in blocks for each in block]
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            start = _first_line(node)
            body = getattr(node, "body", None) or getattr(node, "cases", None)
            end = _first_line(body[0]) - 1 if body else getattr(node, "end_lineno", start)
            yield range(start, max(start, end) + 1)


_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def _first_line(node: ast.stmt | ast.excepthandler | ast.match_case) -> int:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _line_below(lines: list[str], line: int) -> int:
    """The line that a comment on a line of its own stands above, other comments between them."""
    while line < len(lines) and lines[line].lstrip().startswith("#"):
        line += 1
    return line + 1


def _read(file: str, found: re.Match[str], span: Span, line: int, statement: range) -> Iterator[_Allowed | Diagnostic]:
    allow = _ALLOW.match(found["rest"])
    if allow is None:
        yield _malformed(file, span, "persistc does not know what this comment asks for", "no `allow[...]`")
        return
    names = list(re.finditer(r"[^\s,]+", allow["codes"]))
    if not names:
        yield _malformed(file, span, "this comment allows nothing", "which findings?")
        return
    if not allow["reason"].strip():
        shown = ", ".join(name[0] for name in names)
        yield _malformed(file, span, f"`allow[{shown}]` gives no reason", "why is it harmless here?")
        return
    start = span.start.column + (found.start("rest") - found.start()) + allow.start("codes")
    for name in names:
        where = Span.within_line(span.start.line, start + name.start(), start + name.end())
        code = next((code for code in Code if code == name[0]), None)
        if code is None:
            yield _unknown(file, where, name[0])
        elif not is_allowable(code):
            yield _refused(file, where, code)
        else:
            yield _Allowed(code, line, statement, where, len(names) == 1)


def _malformed(file: str, span: Span, message: str, label: str) -> Diagnostic:
    return Diagnostic(
        code=Code.MALFORMED_SUPPRESSION, message=message, file=file, span=span, label=label, help=f"write {_SHAPE}"
    )


def _unknown(file: str, span: Span, name: str) -> Diagnostic:
    near = difflib.get_close_matches(name.upper(), [code.value for code in Code], n=1, cutoff=0.8)
    return Diagnostic(
        code=Code.MALFORMED_SUPPRESSION,
        message=f"there is no finding `{name}` that could be allowed",
        file=file,
        span=span,
        label="no code of persistc",
        help=f"did you mean `{near[0]}`?" if near else f"name the code that the finding shows: {_SHAPE}",
    )


def _refused(file: str, span: Span, code: Code) -> Diagnostic:
    if code is Code.TYPE_ERROR:
        return Diagnostic(
            code=Code.MALFORMED_SUPPRESSION,
            message=f"`{code}` ({code.slug}) is told by mypy, which reads comments of its own and not this one",
            file=file,
            span=span,
            label="allows nothing",
            help="write `# type: ignore[...]` there, with the code of mypy in the brackets that the finding shows",
        )
    return Diagnostic(
        code=Code.MALFORMED_SUPPRESSION,
        message=f"`{code}` ({code.slug}) cannot be allowed: what persistc generates would be wrong, or not be there",
        file=file,
        span=span,
        label="no reason makes it right",
        help=f"do what the finding says; `persistc explain {code}` says more",
    )


def _unused(file: str, allowed: _Allowed) -> Diagnostic:
    return Diagnostic(
        code=Code.UNUSED_SUPPRESSION,
        message=f"there is no `{allowed.code}` ({allowed.code.slug}) on line {allowed.line} that had to be allowed",
        file=file,
        span=allowed.span,
        label="allows nothing",
        help="remove the comment" if allowed.is_only else f"remove `{allowed.code}` from it",
        severity=Severity.WARNING,
    )
