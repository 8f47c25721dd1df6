"""A type that the log cannot store, as a value, and the refusals that its name alone tells."""

import builtins
import re
from dataclasses import dataclass
from difflib import get_close_matches

from persistc.checks.type_tables import IN_THIS_PROCESS, REFUSED, STORED_BUILTINS, Refused
from persistc.flow_tree import Expression, Subscript, dotted
from persistc.model import Module
from persistc.spans import Span

_OF_TYPE = re.compile(r"`(?P<type>[^`]+)` (?:is (?P<is_what>an? .+)|(?P<does_what>(?!and ).+))")
WHERE_IT_GOES = "hand it to `__init__` and keep it on `self`"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The place that is to blame when it is not the annotation itself: an alias, a class."""

    file: str
    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a type cannot be stored, at the part of the annotation that is to blame."""

    span: Span
    reason: str
    label: str
    remedy: str
    place: Elsewhere | None = None
    root: str = ""
    """The class of the project, the outermost, whose field holds it; empty when no class does."""
    steps: tuple[str, ...] = ()
    """How it is reached in a value: `[]` for what a container holds, `.lines` for a field."""

    @property
    def told(self) -> str:
        """The reason, with the path from the outermost class: `Order.lines[].socket`."""
        if not self.root:
            return self.reason
        first = next(number for number, step in enumerate(self.steps) if step.startswith("."))
        path = f"`{self.root}{''.join(self.steps[first:])}`"
        of_type = _OF_TYPE.fullmatch(self.reason)
        if of_type is None:
            return f"in {path}, {self.reason}"
        shown, is_what, does_what = of_type["type"], of_type["is_what"], of_type["does_what"]
        article = "an" if shown[0] in "AEIOaeio" else "a"
        return f"{path} is {article} `{shown}`, {is_what or f'which {does_what}'}"


def refused_by_name(origin: str) -> Refused | None:
    """Why no value of a type of the language or its library can be stored."""
    exact = REFUSED.get(origin)
    if exact is not None:
        return exact
    top, _, name = origin.partition(".")
    if top == "builtins":
        return None if name in STORED_BUILTINS or "." in name else _refused_builtin(name)
    if top in IN_THIS_PROCESS or origin.rpartition(".")[0] in IN_THIS_PROCESS:
        return Refused("`{shown}` belongs to the process that made it", "gone when the process ends")
    return None


def _refused_builtin(name: str) -> Refused | None:
    value = getattr(builtins, name, None)
    if not isinstance(value, type):
        if callable(value):
            return Refused("`{shown}` is a function, not a type", "not a type")
        return None
    if issubclass(value, BaseException):
        return Refused(
            "`{shown}` is an exception",
            "raised, not stored",
            "store what it says, `str(error)`, or let the step raise it",
        )
    return Refused(
        "`{shown}` has no form in the log", "cannot be written as JSON", "use a list, a number or a dataclass"
    )


def refusal_of(expression: Expression, refused: Refused, origin: str) -> Refusal:
    """The refusal of a type by its name, in the words of the annotation."""
    named = expression.value if isinstance(expression, Subscript) else expression
    shown = dotted(named) or origin
    return Refusal(
        expression.span,
        refused.reason.replace("{shown}", shown),
        refused.label,
        refused.remedy or WHERE_IT_GOES,
    )


def undefined(expression: Expression, module: Module) -> Refusal:
    """The refusal of a name that nothing defines, with one that is spelled like it."""
    name = (dotted(expression) or "").partition(".")[0]
    near = get_close_matches(name, [*module.scope.by_name, *sorted(STORED_BUILTINS)], 1, 0.7)
    remedy = f"did you mean `{near[0]}`?" if near else f"import `{name}`, or define it in this module"
    return Refusal(expression.span, f"nothing here is called `{name}`", "not defined", remedy)
