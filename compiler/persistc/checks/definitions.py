"""How a flow, step or signal is defined: as one plain method that a subclass can override."""

from collections.abc import Iterator

from persistc.checks.flow_class import FlowClass, described
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.model import Decorator, Kind, Method, ParameterKind
from persistc.versions import is_kept

FINAL = ("typing.final", "typing_extensions.final")
OVERLOAD = ("typing.overload", "typing_extensions.overload")
# What may stand above a mark: it gives back the very function it was given.
TRANSPARENT = frozenset(
    {
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
        "typing.no_type_check",
        "warnings.deprecated",
        "typing_extensions.deprecated",
    }
)
NOT_METHODS = {
    "builtins.staticmethod": "a static method",
    "builtins.classmethod": "a class method",
    "builtins.property": "a property",
    "functools.cached_property": "a property",
    "functools.partialmethod": "a partial method",
    "functools.singledispatchmethod": "a dispatching method",
    "abc.abstractproperty": "a property",
}
# The public attributes of `FlowInstance`, which flows and signals stand beside; held to the runtime by a test.
RESERVED = frozenset({"flow_id", "history", "resume", "status"})


def check_definitions(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST011, PST012, PST020, PST021, PST023, PST025, PST026, PST028 and PST031 for the methods of the class body."""
    yield from _final_class(flow_class)
    yield from _one_class(flow_class)
    for method in flow_class.own_marked:
        yield from _decorated(flow_class, method)
        yield from _receiver(flow_class, method)
        yield from _shape(flow_class, method)
        yield from _name(flow_class, method)
        yield from _once(flow_class, method)


def _final_class(flow_class: FlowClass) -> Iterator[Diagnostic]:
    cls = flow_class.cls
    for decorator in cls.decorators:
        if decorator.origin in FINAL:
            yield Diagnostic(
                code=Code.FINAL,
                message=f"flow class `{cls.name}` is final, and its proxy is a subclass of it",
                file=flow_class.module.file,
                span=decorator.span,
                label="no subclass may be made",
                help=f"remove `@{decorator.name}`",
                notes=(Note(flow_class.module.file, cls.span, "the proxy derives from this class"),),
            )


def _one_class(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """The name of the class, and of what is generated from it, must be its own in the module."""
    cls, file = flow_class.cls, flow_class.module.file
    later = [other for other in flow_class.module.classes if other.name == cls.name and other.span > cls.span]
    if later:
        yield Diagnostic(
            code=Code.DEFINED_CONDITIONALLY,
            message=f"flow class `{cls.name}` is defined more than once: its proxy could belong to one only",
            file=file,
            span=cls.span,
            label="which one counts, only running the module would tell",
            help="define it once, and decide in its methods or in what it is given",
            notes=(Note(file, later[0].span, "defined again here"),),
        )
    for generated in (f"Durable{cls.name}", f"{cls.name}Instance"):
        for binding in flow_class.module.scope.by_name.get(generated, ()):
            if binding.imported is None or not binding.imported.module.endswith("_durable"):
                yield Diagnostic(
                    code=Code.RESERVED_NAME,
                    message=f"`{generated}` has the name of what persistc generates for `{cls.name}`",
                    file=file,
                    span=binding.span,
                    label="two things under one name",
                    help="give it another name",
                    notes=(Note(file, cls.span, f"`{generated}` is generated for this class"),),
                )


def _decorated(flow_class: FlowClass, method: Method) -> Iterator[Diagnostic]:
    marks = [decorator for decorator in method.decorators if decorator.mark is not None]
    mark = marks[0]
    file = flow_class.module.file
    for second in marks[1:]:
        yield Diagnostic(
            code=Code.SEVERAL_MARKS,
            message=f"`{method.name}` is marked twice: a method is a flow, a step or a signal",
            file=file,
            span=second.span,
            label="one mark too many",
            help=f"keep one of `@{mark.name}` and `@{second.name}`",
            notes=(Note(file, mark.span, "it is marked here"),),
        )
    for decorator in method.decorators:
        if decorator.origin in FINAL:
            yield Diagnostic(
                code=Code.FINAL,
                message=f"{described(method)} is final, and its proxy overrides it",
                file=file,
                span=decorator.span,
                label="no override may be made",
                help=f"remove `@{decorator.name}`",
            )
    if not any(decorator.origin in NOT_METHODS for decorator in method.decorators):
        yield from _above(file, method, mark)


def _above(file: str, method: Method, mark: Decorator) -> Iterator[Diagnostic]:
    for decorator in method.decorators[: method.decorators.index(mark)]:
        known = decorator.origin in TRANSPARENT or decorator.origin in FINAL or decorator.origin in OVERLOAD
        if not known:
            shown = f"@{decorator.name}" if decorator.name is not None else "a decorator"
            yield Diagnostic(
                code=Code.DECORATOR_ABOVE_MARK,
                message=f"`{shown}` stands above `@{mark.name}` and may hide that `{method.name}` is a {method.kind}",
                file=file,
                span=decorator.span,
                label="gets the marked method, and gives back what persistc cannot see",
                help=f"put `@{mark.name}` on top; `{shown}` then still applies to what it runs",
                notes=(Note(file, mark.span, "the mark"),),
            )


def _receiver(flow_class: FlowClass, method: Method) -> Iterator[Diagnostic]:
    file = flow_class.module.file
    for decorator in method.decorators:
        if (what := NOT_METHODS.get(decorator.origin or "")) is not None:
            remedy = f"remove `@{decorator.name}`"
            if not method.parameters or method.parameters[0].name != "self":
                remedy += f" and write `def {method.name}(self, ...)`"
            yield Diagnostic(
                code=Code.NOT_AN_INSTANCE_METHOD,
                message=f"{described(method)} is {what}; a {method.kind} is called on an instance of its class",
                file=file,
                span=decorator.span,
                label=f"makes it {what}",
                help=remedy,
            )
            return
    first = method.parameters[0] if method.parameters else None
    if first is None or first.kind not in {ParameterKind.POSITIONAL, ParameterKind.POSITIONAL_ONLY}:
        yield Diagnostic(
            code=Code.NOT_AN_INSTANCE_METHOD,
            message=f"{described(method)} has no `self`; a {method.kind} is called on an instance of its class",
            file=file,
            span=method.span,
            label="its first parameter should be `self`",
            help=f"write `def {method.name}(self, ...)`",
        )


def _shape(flow_class: FlowClass, method: Method) -> Iterator[Diagnostic]:
    if method.is_generator:
        yield Diagnostic(
            code=Code.GENERATOR,
            message=f"{described(method)} is a generator: it has no one result that could be logged",
            file=flow_class.module.file,
            span=method.span,
            label="its body has a `yield`",
            help=(
                "wait with `wait_for_signal` or a step, and return one value at the end"
                if method.kind is Kind.FLOW
                else "return the values in a list, or make a step of producing each one"
            ),
        )


def _name(flow_class: FlowClass, method: Method) -> Iterator[Diagnostic]:
    file = flow_class.module.file
    if method.name.startswith("__"):
        is_special = method.name.endswith("__")
        bare = method.name.strip("_")
        yield Diagnostic(
            code=Code.PRIVATE_NAME,
            message=(
                f"{described(method)} is a special method: Python itself calls it"
                if is_special
                else f"{described(method)} is private to its class, so its proxy cannot override it"
            ),
            file=file,
            span=method.span,
            label=(
                f"cannot be a {method.kind}"
                if is_special
                else f"Python calls it `_{flow_class.cls.name.lstrip('_')}{method.name}`"
            ),
            help=(
                f"move what it does into a {method.kind} with a name of its own"
                if is_special
                else f"call it `_{bare}`: one underscore is only a hint to the reader"
            ),
        )
    elif method.name in RESERVED and method.kind is not Kind.STEP and not is_kept(method):
        yield Diagnostic(
            code=Code.RESERVED_NAME,
            message=f"{described(method)} has the name of something every flow instance has",
            file=file,
            span=method.span,
            label=f"would hide `{flow_class.cls.name}Instance.{method.name}`",
            help=f"choose another name, `{method.kind}_{method.name}` say",
        )


def _once(flow_class: FlowClass, method: Method) -> Iterator[Diagnostic]:
    file = flow_class.module.file
    same = [other for other in flow_class.cls.methods if other.name == method.name]
    overloads = [other for other in same if other.has_decorator(*OVERLOAD)]
    if overloads:
        if method is next(other for other in same if other.kind is not Kind.OTHER):
            yield Diagnostic(
                code=Code.OVERLOADED,
                message=f"{described(method)} is overloaded; the log needs one signature",
                file=file,
                span=overloads[0].span,
                label="one of several signatures",
                help="write one signature with unions, `key: int | str`, or one step for each",
                notes=() if method is overloads[0] else (Note(file, method.span, "the one that is run"),),
            )
        return
    if method.conditional:
        yield Diagnostic(
            code=Code.DEFINED_CONDITIONALLY,
            message=f"{described(method)} is defined under a condition, which persistc cannot decide",
            file=file,
            span=method.span,
            label="stands below an `if`, `try`, `with` or loop of the class body",
            help="define it once, and put the condition into its body",
        )
        return
    later = [other for other in same if other.span > method.span and not other.conditional]
    if later:
        yield Diagnostic(
            code=Code.DEFINED_CONDITIONALLY,
            message=f"{described(method)} is defined again further down, and only that definition counts",
            file=file,
            span=method.span,
            label="this one is dropped",
            help="delete one of the two, or rename it",
            notes=(Note(file, later[0].span, "defined again here"),),
        )
