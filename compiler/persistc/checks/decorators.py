"""Decorators that look like ours, or stand for ours, and cannot be followed to `persistasaurus`.

A step that is silently not durable is the worst thing this product could do, so what cannot be followed is an error.
"""

from collections.abc import Iterator

from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Argument, Attribute, Expression, Name, walk
from persistc.model import PACKAGE, Binding, BindingKind, Class, Decorator, Kind, Module, mark_of
from persistc.project import Project

_NOWHERE: tuple[Note, ...] = ()
MARKS = frozenset({Kind.FLOW.value, Kind.STEP.value, Kind.SIGNAL.value})


def check_decorators(project: Project, module: Module) -> Iterator[Diagnostic]:
    """PST010 for the decorators of all functions, in classes and out of them."""
    for cls in module.classes:
        for decorator in cls.decorators:
            yield from _unresolved(project, module, None, decorator, cls.name)
        for method in cls.methods:
            for decorator in method.decorators:
                yield from _unresolved(project, module, cls, decorator, method.name)
    for stray in module.strays:
        for decorator in stray.decorators:
            yield from _unresolved(project, module, None, decorator, stray.name)


def _unresolved(
    project: Project, module: Module, cls: Class | None, decorator: Decorator, decorated: str
) -> Iterator[Diagnostic]:
    if decorator.mark is not None:
        return
    looked_up = _bindings(module, cls, decorator)
    led_to = _led_to(project, decorator, looked_up)
    mark = _meant(project, module, cls, decorator, led_to)
    if mark is None:
        return
    shown, label, notes = "this decorator", "ours is inside this expression, which persistc does not run", _NOWHERE
    if _mentioned(module, cls, decorator.expression) is None:
        shown = f"`@{decorator.name}`" if decorator.name is not None else shown
        label, notes = _why(module, looked_up, led_to)
    yield Diagnostic(
        code=Code.UNRESOLVED_DECORATOR,
        message=f"{shown} looks like `{PACKAGE}.{mark}`, but persistc cannot follow it there",
        file=module.file,
        span=decorator.span,
        label=label,
        help=_help(module, looked_up, mark, decorated),
        notes=notes,
    )


def _bindings(module: Module, cls: Class | None, decorator: Decorator) -> tuple[Binding, ...]:
    """What makes the first name in the decorator known: in the class body, else in the module."""
    first = next((node.name for node in walk(decorator.expression) if isinstance(node, Name)), "")
    in_class = cls.scope.by_name.get(first, ()) if cls is not None else ()
    return in_class or module.scope.by_name.get(first, ())


def _led_to(project: Project, decorator: Decorator, looked_up: tuple[Binding, ...]) -> tuple[Binding, Module] | None:
    """The definition an import leads to, in the module of the project that holds it."""
    if len(looked_up) != 1 or looked_up[0].kind is not BindingKind.IMPORT or decorator.origin is None:
        return None
    home, _, name = decorator.origin.rpartition(".")
    module = project.modules.get(home)
    found = module.scope.by_name.get(name, ()) if module is not None else ()
    return (found[0], module) if module is not None and found else None


def _meant(
    project: Project,
    module: Module,
    cls: Class | None,
    decorator: Decorator,
    led_to: tuple[Binding, Module] | None,
) -> str | None:
    """Which of our marks this decorator may be meant to be: by what it is made of, or by its name."""
    if (mark := _mentioned(module, cls, decorator.expression)) is not None:
        return mark
    for binding in _bindings(module, cls, decorator):
        if binding.value is not None and (mark := _mentioned(module, cls, binding.value.expression)) is not None:
            return _by_name(decorator) or mark
    value = led_to[0].value if led_to is not None else None
    if led_to is not None and value is not None and (mark := _mentioned(led_to[1], None, value.expression)) is not None:
        return mark
    return (
        _by_name(decorator) if _could_be_ours(project, module, decorator, _bindings(module, cls, decorator)) else None
    )


def _mentioned(module: Module, cls: Class | None, expression: Expression) -> str | None:
    """One of our marks within an expression, or our package handed to something that may take one out of it."""
    if module.origin_of(expression, cls) == PACKAGE:
        return Kind.STEP.value
    for node in walk(expression):
        if isinstance(node, Name | Attribute) and (mark := mark_of(module.origin_of(node, cls))) is not None:
            return mark.value
        if isinstance(node, Argument) and module.origin_of(node.value, cls) == PACKAGE:
            return Kind.STEP.value
    return None


def _by_name(decorator: Decorator) -> str | None:
    last = (decorator.name or "").rpartition(".")[2]
    return last if last in MARKS else None


def _could_be_ours(project: Project, module: Module, decorator: Decorator, looked_up: tuple[Binding, ...]) -> bool:
    """By its name alone: a `step` of another library, or of a module that knows nothing of us, is not ours."""
    if not looked_up:
        return decorator.name in MARKS
    if decorator.origin is None:
        return True
    if not decorator.origin.startswith("."):
        return False  # of a library
    if "." in (decorator.name or "") and looked_up[0].kind is not BindingKind.IMPORT:
        return False  # of an object, `app.step`
    in_class = looked_up[0] not in module.scope.bindings
    home = module if in_class else project.modules.get(decorator.origin.rpartition(".")[0])
    return home is None or any(f"{each.module}.".startswith(f"{PACKAGE}.") for each in home.imports)


def _why(
    module: Module, looked_up: tuple[Binding, ...], led_to: tuple[Binding, Module] | None
) -> tuple[str, tuple[Note, ...]]:
    """The label under the decorator, and the places that are to blame."""
    if not looked_up:
        star = next((each for each in module.scope.bindings if each.kind is BindingKind.STAR_IMPORT), None)
        if star is None:
            return "not imported", ()
        note = Note(module.file, star.span, "it may come from this star import, or from nowhere")
        return "not imported by name", (note,)
    notes = tuple(Note(module.file, each.span, _BOUND.get(each.kind, "bound here")) for each in looked_up)
    if len(looked_up) > 1:
        return "which of its meanings this is, only running the module would tell", notes
    if led_to is not None:
        binding, home = led_to
        notes = (*notes, Note(home.file, binding.span, _BOUND.get(binding.kind, "bound here")))
        return _MEANING[binding.kind].format(f"`{home.file}`"), notes
    return _MEANING[looked_up[0].kind].format(
        "this file" if looked_up[0] in module.scope.bindings else "this class"
    ), notes


_BOUND = {BindingKind.IMPORT: "imported here", BindingKind.FUNCTION: "defined here", BindingKind.CLASS: "defined here"}
_MEANING = {
    BindingKind.ASSIGNMENT: "a variable, and persistc does not run the module to see what is in it",
    BindingKind.FUNCTION: "a function of {}",
    BindingKind.CLASS: "a class of {}",
    BindingKind.IMPORT: "its module cannot be found",
    BindingKind.STAR_IMPORT: "not imported by name",
}


def _help(module: Module, looked_up: tuple[Binding, ...], mark: str, decorated: str) -> str:
    write = f"write `from {PACKAGE} import {mark}`, and `@{mark}` above `{decorated}`"
    others = [each for each in looked_up if each.kind is not BindingKind.IMPORT]
    if any(each not in module.scope.bindings for each in others):
        return f"rename the `{others[0].name}` of the class: within its body it hides the decorator"
    if any(each.name == mark for each in others):
        return f"{write}; give the other `{mark}` another name"
    return write
