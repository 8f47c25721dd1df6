"""Marks where no proxy can reach them: on functions, nested functions, nested classes, lambdas and classes."""

from collections.abc import Iterator

from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import Call, Lambda, dotted
from persistc.model import Class, Decorator, Module, Text, mark_of
from persistc.project import Project


def check_strays(project: Project, module: Module) -> Iterator[Diagnostic]:
    """PST013 for marks outside of a class, PST022 for those inside a function or a nested class."""
    for stray in module.strays:
        for decorator in stray.decorators:
            if decorator.mark is not None:
                yield _stray(module, decorator, stray.name, stray.inside)
    for cls in module.classes:
        for decorator in cls.decorators:
            if decorator.mark is not None:
                yield _marked_class(module, cls, decorator)
        for attribute in cls.attributes:
            yield from _called(module, cls, attribute.name, attribute.value)
    for binding in module.scope.bindings:
        yield from _called(module, None, binding.name, binding.value)


def _stray(module: Module, decorator: Decorator, name: str, inside: str) -> Diagnostic:
    kind, _, holder = inside.partition(" ")
    if kind == "module":
        return Diagnostic(
            code=Code.MARK_OUTSIDE_CLASS,
            message=f"`{name}` is a function: a {decorator.mark} is a method of a flow class",
            file=module.file,
            span=decorator.span,
            label="has no effect here, the function would run again at every replay",
            help=f"move it into the flow class, `def {name}(self, ...)`, and call it as `self.{name}(...)`",
        )
    return Diagnostic(
        code=Code.NESTED,
        message=f"{decorator.mark} `{name}` is nested in {kind} `{holder}`, where no proxy can be made for it",
        file=module.file,
        span=decorator.span,
        label="not a method of a class at the top of the module",
        help=(
            f"move class `{holder.rpartition('.')[2]}` to the top of the module, and what it uses to `__init__`"
            if kind == "class"
            else "make it a method of a class at the top of the module, and what it uses its parameters"
        ),
    )


def _marked_class(module: Module, cls: Class, decorator: Decorator) -> Diagnostic:
    return Diagnostic(
        code=Code.MARK_OUTSIDE_CLASS,
        message=f"`{cls.name}` is a class: `@{decorator.name}` marks a method",
        file=module.file,
        span=decorator.span,
        label="has no effect on a class",
        help=f"mark the methods of `{cls.name}` that are meant",
    )


def _called(module: Module, cls: Class | None, name: str, value: Text | None) -> Iterator[Diagnostic]:
    """A mark that is called with a function: `charge = step(charge_card)`."""
    if value is None or not isinstance(value.expression, Call):
        return
    call = value.expression
    if isinstance(call.function, Call):
        call = Call(call.span, call.function.function, call.arguments)
    mark = mark_of(module.origin_of(call.function, cls))
    functions = [argument for argument in call.arguments if argument.keyword is None and not argument.star]
    if mark is None or not functions:
        return
    what = "a lambda" if isinstance(functions[0].value, Lambda) else f"`{dotted(functions[0].value) or 'a function'}`"
    yield Diagnostic(
        code=Code.MARK_OUTSIDE_CLASS,
        message=f"{what} is marked by a call: persistc does not see that `{name}` is a {mark}",
        file=module.file,
        span=call.function.span,
        label="not above a method",
        help=f"write a method: `@{mark}`, and below it `def {name}(self, ...)` with its annotations",
    )
