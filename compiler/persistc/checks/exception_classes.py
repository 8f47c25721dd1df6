"""What an expression in `except` or `raises=` names: a class that can be imported and rebuilt, or a problem."""

import builtins
from dataclasses import dataclass

from persistc.checks.flow_code import FlowBody
from persistc.diagnostics import Note
from persistc.flow_tree import Attribute, Call, Display, Expression, Name, NestedClass, dotted
from persistc.model import Binding, BindingKind, Class, Module
from persistc.project import Project


@dataclass(frozen=True, slots=True)
class Resolved:
    """An exception class: where it is defined, and all its bases that are known, itself first."""

    origin: str
    ancestors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it cannot be rebuilt."""

    reason: str
    label: str
    remedy: str
    notes: tuple[Note, ...] = ()


# What steers control flow is no failure of a step: the runtime refuses to list it.
STEERING = frozenset(
    {
        "asyncio.CancelledError",
        "asyncio.exceptions.CancelledError",
        "builtins.GeneratorExit",
        "builtins.KeyboardInterrupt",
        "builtins.SystemExit",
    }
)


@dataclass(frozen=True)
class Resolver:
    """Resolves the exceptions named in one body, or at the top of one module when `body` is None."""

    project: Project
    module: Module
    body: FlowBody | None
    inside: Class | None = None

    @property
    def write_classes(self) -> str:
        """The help line for what is not a class that is written out."""
        shown = (
            "raises=(PaymentDeclined, CardExpired)" if self.body is None else "except (PaymentDeclined, CardExpired):"
        )
        return f"name the classes: `{shown}`"

    def resolve(self, expression: Expression) -> Resolved | Problem | None:
        """The class, a problem, or None for one of another library, which is taken at its word."""
        name = dotted(expression)
        if name is None:
            return self._computed(expression)
        if self.body is not None:
            if isinstance(expression, Attribute) and self.body.is_self(_first(expression)):
                return self._of_instance(expression)
            if (local := self._local(name)) is not None:
                return local
        origin = self.body.origin(expression) if self.body is not None else self._origin(expression)
        bindings = self._bindings(name)
        if (problem := self._only_checked(name, bindings)) is not None:
            return problem
        if origin is None:
            return self._unknown(name, bindings)
        if self.body is None and origin in STEERING:
            return Problem("it steers control flow", "no failure of a step", f"leave `{name}` out")
        return self._class(name, origin)

    def _origin(self, expression: Expression) -> str | None:
        origin = self.module.origin_of(expression, self.inside)
        return None if origin is None else self.project.canonical(origin)

    def _bindings(self, name: str) -> tuple[Binding, ...]:
        first = name.partition(".")[0]
        if self.body is not None and first in self.body.local_names:
            return ()
        return self.module.scope.by_name.get(first, ())

    def _local(self, name: str) -> Problem | None:
        """A name bound in the method: fine only for an import."""
        assert self.body is not None
        first = name.partition(".")[0]
        if first not in self.body.local_names or first in self.body.local_imports:
            return None
        for located in self.body.nodes:
            if isinstance(located.node, NestedClass) and located.node.name == first:
                return Problem(
                    "it is defined inside a function, where no module can import it",
                    "another class at every run",
                    f"move `class {first}` to the top of the module",
                    (Note(self.module.file, located.node.span, "defined here"),),
                )
        return Problem(
            "it is a variable, and only running the flow would tell which class it holds",
            "not a class persistc can see",
            self.write_classes,
        )

    def _of_instance(self, expression: Attribute) -> Problem:
        assert self.body is not None
        owner = self.body.owner
        nested = any(
            binding.name == expression.name and binding.kind is BindingKind.CLASS for binding in owner.scope.bindings
        )
        shown = dotted(expression)
        if nested:
            return Problem(
                "it is looked up on the instance",
                "not a name persistc can follow",
                f"write `{owner.name}.{expression.name}`, or move the class to the top of the module",
            )
        return Problem(
            f"only running the flow would tell which class `{shown}` holds",
            "not a class persistc can see",
            self.write_classes,
        )

    def _only_checked(self, name: str, bindings: tuple[Binding, ...]) -> Problem | None:
        for binding in bindings:
            only_checked = binding.imported is not None and binding.imported.type_checking
            if only_checked and all(other.imported is None or other.imported.type_checking for other in bindings):
                return Problem(
                    "it is imported for type checkers only",
                    "not there when the program runs",
                    f"import `{name.partition('.')[0]}` outside of `if TYPE_CHECKING:`",
                    (Note(self.module.file, binding.span, "imported here"),),
                )
        return None

    def _computed(self, expression: Expression) -> Problem:
        what = "a call" if isinstance(expression, Call) else "an expression"
        return Problem(f"{what} decides which class it is", "only running the flow would tell", self.write_classes)

    def _unknown(self, name: str, bindings: tuple[Binding, ...]) -> Problem | None:
        if bindings:
            return None  # bound twice, each for one Python or one platform: the name can still be imported from here
        star = next((each for each in self.module.scope.bindings if each.kind is BindingKind.STAR_IMPORT), None)
        if star is not None:
            return Problem(
                "persistc cannot see where it comes from",
                "not imported by name",
                f"import `{name.partition('.')[0]}` by its name",
                (Note(self.module.file, star.span, "it may come from this star import, or from nowhere"),),
            )
        return Problem("there is no such name here", "not defined", f"define or import `{name.partition('.')[0]}`")

    def _class(self, name: str, origin: str) -> Resolved | Problem | None:
        if origin.startswith("builtins."):
            return _builtin(name, origin.removeprefix("builtins."))
        if (found := self.project.find_class(origin)) is not None:
            return self._of_project(name, *found)
        home, _, last = origin.rpartition(".")
        module = self.project.modules.get(home)
        bound = module.scope.by_name.get(last, ()) if module is not None else ()
        if module is None or len(bound) != 1:
            return None
        return self._bound(name, bound[0], module)

    def _of_project(self, name: str, cls: Class, home: Module) -> Resolved | Problem | None:
        ancestors: list[str] = []
        certain = True
        for owner, _ in self.project.lineage(cls, home):
            ancestors.append(owner.qualified)
            for base in owner.bases:
                if base.origin is None or not base.origin.startswith("builtins."):
                    certain = certain and self.project.find_class(base.origin) is not None
                    continue
                known = getattr(builtins, base.origin.removeprefix("builtins."), None)
                if isinstance(known, type):
                    ancestors += [f"builtins.{each.__name__}" for each in known.__mro__ if each is not object]
        if certain and "builtins.BaseException" not in ancestors:
            return Problem(
                "it is not an exception class",
                "cannot be raised",
                f"derive it from `Exception`: `class {cls.name}(Exception)`",
                (Note(home.file, cls.span, "defined here"),),
            )
        return Resolved(cls.qualified, tuple(ancestors))

    def _bound(self, name: str, binding: Binding, home: Module) -> Resolved | Problem | None:
        note = Note(home.file, binding.span, "defined here")
        if binding.kind is BindingKind.FUNCTION:
            return Problem("it is a function", "not an exception class", self.write_classes, (note,))
        value = binding.value.expression if binding.value is not None else None
        match value:
            case Display(items=items):
                # A constant that lists classes is as good as the classes, when each of them is.
                there = Resolver(self.project, home, None)
                problems = (problem for item in items if isinstance(problem := there.resolve(item), Problem))
                found = next(problems, None)
                return None if found is None else Problem(found.reason, found.label, found.remedy, (note,))
            case Name() | Attribute():
                origin = home.origin_of(value)
                if origin is None:
                    return None
                canonical = self.project.canonical(origin)
                return None if canonical == f"{home.name}.{binding.name}" else self._class(name, canonical)
            case _:
                return None


def _first(expression: Attribute) -> Expression:
    value: Expression = expression
    while isinstance(value, Attribute):
        value = value.value
    return value


def _builtin(name: str, builtin: str) -> Resolved | Problem | None:
    known = getattr(builtins, builtin.partition(".")[0], None)
    if not isinstance(known, type) or not issubclass(known, BaseException):
        return Problem("it is not an exception class", "cannot be raised", f"name an exception instead of `{name}`")
    return Resolved(
        f"builtins.{known.__name__}", tuple(f"builtins.{each.__name__}" for each in known.__mro__ if each is not object)
    )
