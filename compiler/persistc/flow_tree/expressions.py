"""The expressions of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import Literal, TypeAlias

from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Name:
    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value.name`."""

    span: Span
    value: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. An f-string is a `Compound`."""

    span: Span
    value: str | bytes | int | float | complex | bool | EllipsisType | None
    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A string in the place of a type: `"Order"`; `inner` is what the string says, its spans those of the string."""

    span: Span
    inner: Expression


@dataclass(frozen=True, slots=True)
class Argument:
    span: Span
    value: Expression
    keyword: str | None = None
    star: Literal["", "*", "**"] = ""


@dataclass(frozen=True, slots=True)
class Call:
    span: Span
    function: Expression
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Await:
    span: Span
    value: Expression


@dataclass(frozen=True, slots=True)
class Subscript:
    """`value[items]`; one item a comma."""

    span: Span
    value: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`-value`, `not value`."""

    span: Span
    operator: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """`left | right` and every other operator with two sides, comparisons and `and`/`or` among them."""

    span: Span
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Display:
    """A tuple, list, set or dict written out (keys and values of a dict in turn), `Starred` ones inside."""

    span: Span
    kind: Literal["tuple", "list", "set", "dict"]
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Starred:
    span: Span
    value: Expression


@dataclass(frozen=True, slots=True)
class Conditional:
    """`body if test else orelse`."""

    span: Span
    test: Expression
    body: Expression
    orelse: Expression


@dataclass(frozen=True, slots=True)
class Clause:
    """One `for target in over if ...` of a comprehension."""

    span: Span
    target: Expression
    over: Expression
    conditions: tuple[Expression, ...]
    is_async: bool


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A comprehension or generator expression; `elements` are two for a dict."""

    span: Span
    kind: Literal["list", "set", "dict", "generator"]
    elements: tuple[Expression, ...]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    span: Span
    text: str
    parameters: tuple[str, ...]
    body: Expression
    defaults: tuple[Expression, ...] = ()
    """Of its parameters, evaluated where it is written."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """`name := value`."""

    span: Span
    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Yield:
    span: Span
    value: Expression | None
    is_from: bool


@dataclass(frozen=True, slots=True)
class Compound:
    """Any other expression; its subexpressions in the order of evaluation."""

    span: Span
    text: str
    parts: tuple[Expression, ...]


Expression: TypeAlias = (
    Name
    | Attribute
    | Constant
    | Quoted
    | Call
    | Await
    | Subscript
    | Unary
    | Operation
    | Display
    | Starred
    | Conditional
    | Comprehension
    | Lambda
    | Assigned
    | Yield
    | Compound
)
