"""Decorators that look like ours, or stand for ours, and cannot be followed to `persistasaurus`.

A step that is silently not durable is the worst thing this product could do, so what cannot be followed is an error.
"""

from collections.abc import Iterator

from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Name, walk
from persistc.model import PACKAGE, Binding, BindingKind, Class, Decorator, Kind, Module, mark_of
from persistc.project import Project

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
    mark = _meant(project, module, cls, decorator, looked_up)
    if mark is None:
        return
    shown = f"`@{decorator.name}`" if decorator.name is not None else "this decorator"
    label, notes = _why(module, decorator, looked_up)
    yield Diagnostic(
        code=Code.UNRESOLVED_DECORATOR,
        message=f"{shown} looks like `{PACKAGE}.{mark}`, but persistc cannot follow it there",
        file=module.file,
        span=decorator.span,
        label=label,
        help=_help(module, looked_up, mark, decorated),
        notes=notes,
    )


def _meant(
    project: Project, module: Module, cls: Class | None, decorator: Decorator, looked_up: tuple[Binding, ...]
) -> str | None:
    """Which of our marks this decorator may be meant to be: by what it is made of, or by its name."""
    for part in (decorator.expression, *(binding.value.expression for binding in looked_up if binding.value)):
        for node in walk(part):
            if isinstance(node, Name | Attribute) and (mark := mark_of(module.origin_of(node, cls))) is not None:
                return mark.value
    last = (decorator.name or "").rpartition(".")[2]
    if last in MARKS and _could_be_ours(project, module, decorator, looked_up):
        return last
    if (decorator.name or "").partition(".")[0] != "self" and any(_is_the_package(module, each) for each in looked_up):
        return last if last in MARKS else Kind.STEP.value
    return None


def _could_be_ours(project: Project, module: Module, decorator: Decorator, looked_up: tuple[Binding, ...]) -> bool:
    """By its name alone: a `step` of another library, or of a module that knows nothing of us, is not ours."""
    if not looked_up:
        return decorator.name in MARKS
    if decorator.origin is None:
        return True
    if not decorator.origin.startswith("."):
        return False
    home = next((each for each in project.modules.values() if decorator.origin.startswith(f"{each.name}.")), None)
    if "." in (decorator.name or "") and looked_up[0].kind is not BindingKind.IMPORT:
        return False
    return home is None or _knows_us(home)


def _knows_us(module: Module) -> bool:
    return any(f"{imported.module}.".startswith(f"{PACKAGE}.") for imported in module.imports)


def _is_the_package(module: Module, binding: Binding) -> bool:
    """A variable that holds our package: `p = persistasaurus`."""
    return (
        binding.kind is BindingKind.ASSIGNMENT
        and binding.value is not None
        and module.origin_of(binding.value.expression) == PACKAGE
    )


def _bindings(module: Module, cls: Class | None, decorator: Decorator) -> tuple[Binding, ...]:
    """What makes the decorator's first name known: in the class body, else in the module."""
    if decorator.name is None:
        return ()
    first = decorator.name.partition(".")[0]
    in_class = cls.scope.by_name.get(first, ()) if cls is not None else ()
    return in_class or module.scope.by_name.get(first, ())


def _why(module: Module, decorator: Decorator, looked_up: tuple[Binding, ...]) -> tuple[str, tuple[Note, ...]]:
    """The label under the decorator, and the places that are to blame."""
    if not looked_up:
        if decorator.name not in MARKS:
            return "ours is inside this expression, which persistc does not run", ()
        star = next((each for each in module.scope.bindings if each.kind is BindingKind.STAR_IMPORT), None)
        if star is None:
            return "not imported", ()
        return "not imported by name", (
            Note(module.file, star.span, "it may come from this star import, or from nowhere"),
        )
    notes = tuple(Note(module.file, each.span, _BOUND.get(each.kind, "bound here")) for each in looked_up)
    if len(looked_up) > 1:
        return "which of its meanings this is, only running the module would tell", notes
    in_module = looked_up[0] in module.scope.bindings
    return _MEANING[looked_up[0].kind].format("file" if in_module else "class"), notes


_BOUND = {BindingKind.IMPORT: "imported here", BindingKind.FUNCTION: "defined here", BindingKind.CLASS: "defined here"}
_MEANING = {
    BindingKind.ASSIGNMENT: "a variable, and persistc does not run the module to see what is in it",
    BindingKind.FUNCTION: "a function of this {}",
    BindingKind.CLASS: "a class of this {}",
    BindingKind.IMPORT: "its module does not lead to persistasaurus",
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
