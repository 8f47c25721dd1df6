"""The model: what a module of flow classes says, as frozen values with places and without syntax trees.

`lower` fills it completely for modules with flow classes; `interfaces` fills the part that other modules need to know
(imports, classes, signatures) for modules that are only imported by those, and leaves the bodies empty.

A *name* is what stands in the source (`dt.datetime`), an *origin* is what it stands for wherever it is written:
`datetime.datetime`, `app.errors.Declined`, `builtins.ValueError`.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from persistc.flow_tree import Block, Expression, dotted
from persistc.spans import Span

PACKAGE = "persistasaurus"


class Kind(StrEnum):
    """What a method is to the runtime."""

    FLOW = "flow"
    STEP = "step"
    SIGNAL = "signal"
    OTHER = "other"


class ParameterKind(StrEnum):
    POSITIONAL_ONLY = "positional only"
    POSITIONAL = "positional"
    VARIADIC = "*"
    KEYWORD_ONLY = "keyword only"
    VARIADIC_KEYWORD = "**"


class BindingKind(StrEnum):
    """How a name came into a scope."""

    IMPORT = "import"
    STAR_IMPORT = "star import"
    ASSIGNMENT = "assignment"
    FUNCTION = "function"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Text:
    """An expression as the user wrote it, with its tree."""

    text: str
    span: Span
    expression: Expression


@dataclass(frozen=True, slots=True)
class Binding:
    """One name made known in a module or a class body."""

    name: str
    kind: BindingKind
    span: Span
    origin: str
    """For an import what it stands for, otherwise the module's (or class's) name and this one."""
    value: Text | None = None
    """What an assignment assigns."""
    imported: Import | None = None
    """The import that makes it known; None for everything else."""


@dataclass(frozen=True, slots=True)
class Import:
    """One name of an import statement, as it is written: `from .types import UserId as Id`, `import a.b as c`."""

    module: str
    """The module as written: `.types`, `app.types`, `a.b`."""
    origin: str
    """What the bound name stands for; for `*` the module."""
    name: str | None
    """The name taken from it, `*` for all; None for `import module`."""
    alias: str | None
    span: Span
    type_checking: bool
    """Stands below `if TYPE_CHECKING:`."""
    in_function: bool = False

    @property
    def bound(self) -> str:
        """The name this makes known."""
        return self.alias or self.name or self.module.partition(".")[0]


@dataclass(frozen=True)
class Scope:
    """The names of a module or a class body. A name bound twice is resolved only where both mean the same."""

    bindings: tuple[Binding, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Binding, ...]]:
        found: dict[str, tuple[Binding, ...]] = {}
        for binding in self.bindings:
            found[binding.name] = (*found.get(binding.name, ()), binding)
        return found

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def origin(self, name: str) -> str | None:
        """What a dotted name stands for; None when it is not bound here or bound to several things."""
        first, dot, rest = name.partition(".")
        found = self.by_name.get(first, ())
        origins = {binding.origin for binding in found}
        return f"{origins.pop()}{dot}{rest}" if len(origins) == 1 else None


@dataclass(frozen=True, slots=True)
class Decorator:
    """A decorator with what it stands for (None: it could not be resolved); `call` is None when it is not called."""

    span: Span
    expression: Expression
    """All of it, the call included."""
    name: str | None
    """The dotted name as written, without a call's arguments."""
    origin: str | None
    arguments: tuple[DecoratorArgument, ...] = ()

    @property
    def mark(self) -> Kind | None:
        """Which of our decorators this is."""
        return mark_of(self.origin)

    def argument(self, keyword: str) -> Text | None:
        """The value of a keyword argument."""
        return next((argument.value for argument in self.arguments if argument.keyword == keyword), None)


@dataclass(frozen=True, slots=True)
class DecoratorArgument:
    keyword: str | None
    """None for a positional argument."""
    value: Text
    star: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    span: Span
    kind: ParameterKind
    annotation: Text | None
    default: Text | None


@dataclass(frozen=True, slots=True)
class Method:
    """A function of a class body, or of a module, which has no `self` and no mark."""

    name: str
    span: Span
    """Of the name."""
    kind: Kind
    """By its first decorator that is one of ours."""
    is_async: bool
    is_generator: bool
    parameters: tuple[Parameter, ...]
    """`self` included, where it is written."""
    returns: Text | None
    decorators: tuple[Decorator, ...]
    type_parameters: tuple[str, ...]
    """Of `def step[T](...)`."""
    docstring: str | None
    """Cleaned of indentation, as `inspect.getdoc` does."""
    body: Block
    """Empty in a module that was read for its interface only."""
    conditional: bool = False
    """Stands below an `if` or `try` of the class body."""

    @property
    def values(self) -> tuple[Parameter, ...]:
        """The parameters without `self`."""
        return self.parameters[1:]

    @property
    def mark(self) -> Decorator | None:
        """The decorator that makes it a flow, step or signal."""
        return next((decorator for decorator in self.decorators if decorator.mark), None)

    def has_decorator(self, *origins: str) -> bool:
        return any(decorator.origin in origins for decorator in self.decorators)

    @property
    def is_abstract(self) -> bool:
        return self.has_decorator("abc.abstractmethod")


@dataclass(frozen=True, slots=True)
class ClassAttribute:
    """A name of an instance or class: `lock = asyncio.Lock()`, `other: OtherFlow`, or `self.lock = ...` in a method."""

    name: str
    span: Span
    annotation: Text | None
    value: Text | None
    method: str | None
    """The method that assigns it to `self`; None in the class body."""


@dataclass(frozen=True, slots=True)
class Base:
    """One base class; `origin` is that of the class itself, `text` may be subscripted."""

    text: Text
    origin: str | None


@dataclass(frozen=True)
class Class:
    """A class at the top of a module. What it inherits is told by `Project`."""

    name: str
    qualified: str
    """Its module's name and its own."""
    span: Span
    """Of the name."""
    bases: tuple[Base, ...]
    keywords: tuple[DecoratorArgument, ...]
    """`metaclass=...` and the like."""
    decorators: tuple[Decorator, ...]
    type_parameters: tuple[str, ...]
    docstring: str | None
    methods: tuple[Method, ...]
    """Every function of its body, in order; of two with one name both."""
    attributes: tuple[ClassAttribute, ...]
    scope: Scope
    """The names of the class body, methods among them."""

    @cached_property
    def by_name(self) -> Mapping[str, Method]:
        """The methods by name; the last one wins, as in Python."""
        return {method.name: method for method in self.methods}

    @property
    def has_marks(self) -> bool:
        """Whether it defines a flow, step or signal itself."""
        return any(method.kind is not Kind.OTHER for method in self.methods)

    def has_decorator(self, *origins: str) -> bool:
        return any(decorator.origin in origins for decorator in self.decorators)


@dataclass(frozen=True, slots=True)
class Stray:
    """A function that carries, or seems to carry, one of our decorators and is no method of a class at the top."""

    name: str
    span: Span
    decorators: tuple[Decorator, ...]
    inside: str
    """What it stands in: `module`, `function outer`, `class Outer.Inner`."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file."""

    file: str
    """As findings show it: with forward slashes, relative to where persistc runs when below it."""
    path: str
    """Absolute."""
    name: str
    """Its own among all modules of the run: its path below the project's root with dots, `src.app.flows`."""
    import_name: str
    """The one it is imported by: dotted from `src` or the topmost folder that has an `__init__.py`, `app.flows`."""
    in_package: bool
    """Its folder is a package, so that a relative import works beside it."""
    imports: tuple[Import, ...]
    """All import statements, those in functions included."""
    scope: Scope
    """The names of the module."""
    classes: tuple[Class, ...]
    strays: tuple[Stray, ...] = ()
    interface_only: bool = False
    starred: Mapping[str, str] = field(default_factory=dict)
    """The names that star imports of modules of the project make known, with what they stand for."""
    has_unknown_stars: bool = True
    """Whether some star import, if there is any, leads to a module that cannot be looked into."""

    def origin(self, name: str, inside: Class | None = None) -> str | None:
        """What a dotted name stands for at the top of the module, or in the body of one of its classes."""
        first = name.partition(".")[0]
        if inside is not None and first in inside.scope:
            return inside.scope.origin(name)
        if first in self.scope:
            return self.scope.origin(name)
        if first in self.starred:
            return f"{self.starred[first]}{name.removeprefix(first)}"
        if self.has_unknown_stars and any(each.kind is BindingKind.STAR_IMPORT for each in self.scope.bindings):
            return None
        return f"builtins.{name}" if hasattr(builtins, first) else None

    def origin_of(self, expression: Expression, inside: Class | None = None) -> str | None:
        """`origin` of an expression; None for one that is no dotted name."""
        name = dotted(expression)
        return None if name is None else self.origin(name, inside)

    def find(self, name: str) -> Class | None:
        """The class of that name at the top of the module."""
        return next((each for each in reversed(self.classes) if each.name == name), None)


def mark_of(origin: str | None) -> Kind | None:
    """Which of our decorators an origin names: the public ones, wherever in the package they are taken from."""
    if origin is None or not origin.startswith(f"{PACKAGE}."):
        return None
    name = origin.rpartition(".")[2]
    return Kind(name) if name in {Kind.FLOW, Kind.STEP, Kind.SIGNAL} else None
