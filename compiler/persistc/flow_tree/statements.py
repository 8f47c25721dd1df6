"""The statements of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from persistc.flow_tree.expressions import Expression
from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Do:
    """An expression whose value is dropped."""

    span: Span
    value: Expression


@dataclass(frozen=True, slots=True)
class Assign:
    """An assignment, plain, annotated or augmented; without `value` a bare declaration."""

    span: Span
    targets: tuple[Expression, ...]
    value: Expression | None
    annotation: Expression | None = None
    operator: str = "="


@dataclass(frozen=True, slots=True)
class Return:
    span: Span
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Raise:
    span: Span
    value: Expression | None
    cause: Expression | None


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`; an `elif` is a `Branch` alone in `orelse`."""

    span: Span
    test: Expression
    body: Block
    orelse: Block


@dataclass(frozen=True, slots=True)
class ForLoop:
    span: Span
    target: Expression
    over: Expression
    body: Block
    orelse: Block
    is_async: bool


@dataclass(frozen=True, slots=True)
class WhileLoop:
    span: Span
    test: Expression
    body: Block
    orelse: Block


@dataclass(frozen=True, slots=True)
class Handler:
    """One `except`: the exception expressions it names (none: it catches everything)."""

    span: Span
    types: tuple[Expression, ...]
    name: str | None
    body: Block


@dataclass(frozen=True, slots=True)
class Try:
    span: Span
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block
    is_group: bool
    """Written with `except*`."""


@dataclass(frozen=True, slots=True)
class WithItem:
    span: Span
    value: Expression
    target: Expression | None


@dataclass(frozen=True, slots=True)
class With:
    span: Span
    items: tuple[WithItem, ...]
    body: Block
    is_async: bool


@dataclass(frozen=True, slots=True)
class Case:
    span: Span
    pattern: str
    """The pattern as it is written."""
    guard: Expression | None
    body: Block
    names: tuple[str, ...] = ()
    """The names the pattern binds."""


@dataclass(frozen=True, slots=True)
class Match:
    span: Span
    subject: Expression
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class NestedFunction:
    """A function defined in the body; `span` is its name's."""

    span: Span
    name: str
    parameters: tuple[str, ...]
    decorators: tuple[Expression, ...]
    body: Block
    is_async: bool
    defaults: tuple[Expression, ...] = ()
    """Of its parameters, evaluated where it is defined."""


@dataclass(frozen=True, slots=True)
class NestedClass:
    span: Span
    name: str
    decorators: tuple[Expression, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class LocalImport:
    """An import in a body: each name it binds with what it stands for, `("sleep", "asyncio.sleep")`."""

    span: Span
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Any other statement: `pass`, `break`, `continue`, `del`, `assert`, `global`, `nonlocal`, `type`."""

    span: Span
    keyword: str
    parts: tuple[Expression, ...] = ()


Statement: TypeAlias = (
    Do
    | Assign
    | Return
    | Raise
    | Branch
    | ForLoop
    | WhileLoop
    | Try
    | With
    | Match
    | NestedFunction
    | NestedClass
    | LocalImport
    | Other
)
Block: TypeAlias = tuple[Statement, ...]
