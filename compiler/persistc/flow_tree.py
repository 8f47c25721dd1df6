"""The tree of our own that source code is lowered to: expressions and statements, each with its place.

It is small on purpose: it keeps what a check or an outline asks about (calls, awaits, branches, loops, exception
handlers, names) and folds everything else into `Compound` and `Other`, whose parts are still there to be walked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import EllipsisType
from typing import Literal, TypeAlias, get_args

from persistc.spans import Span

# --- expressions ----------------------------------------------------------------------------------------------------


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

# --- statements -----------------------------------------------------------------------------------------------------


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
Node: TypeAlias = Expression | Statement | Argument | Clause | Handler | WithItem | Case


NODES = (
    *get_args(Expression),
    *get_args(Statement),
    Argument,
    Clause,
    Handler,
    WithItem,
    Case,
)

_LEAVES = frozenset({"span", "name", "text", "operator", "kind", "keyword", "star", "is_async", "is_from", "is_group"})
_PARTS: Mapping[type, tuple[str, ...]] = {
    node: tuple(field.name for field in fields(node) if field.name not in _LEAVES) for node in NODES
}
"""The fields of each kind of node that may hold nodes."""

# --- walking --------------------------------------------------------------------------------------------------------


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below one, in the order they are written."""
    for name in _PARTS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, NODES))
        elif isinstance(value, NODES):
            yield value


def walk(*roots: Node) -> Iterator[Node]:
    """The nodes given and all below them, each before its children."""
    for root in roots:
        yield root
        yield from walk(*children(root))


def dotted(expression: Expression) -> str | None:
    """`a.b.c` as text when the expression is nothing but a name and attributes of it."""
    match expression:
        case Name(name=name):
            return name
        case Attribute(value=value, name=name):
            return f"{owner}.{name}" if (owner := dotted(value)) else None
        case Quoted(inner=inner):
            return dotted(inner)
        case _:
            return None


def bound_names(target: Expression) -> Iterator[str]:
    """The plain names an assignment to this target binds."""
    match target:
        case Name(name=name):
            yield name
        case Display(items=items):
            for item in items:
                yield from bound_names(item)
        case Starred(value=value):
            yield from bound_names(value)
        case _:
            return
