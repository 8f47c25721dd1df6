"""Where flow code makes a text of a set, which shows the order of its elements: in f-strings, with `str`, with `%`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located
from persistc.flow_tree import Argument, Attribute, Call, Compound, Constant, Display, Expression, Name, Node, Operation
from persistc.model import Class, Module

_F_STRING = re.compile(r"[rR]?[fF][rR]?['\"]")
_TEXTS = frozenset({"builtins.ascii", "builtins.format", "builtins.repr", "builtins.str"})
_LOGGING = ("logging.", "loguru.", "structlog.")


def shown_as_text(flow_class: FlowClass, body: FlowBody, located: Located) -> Iterator[tuple[Expression, str]]:
    """The expressions that a node makes a text of, with what would be the matter there; not of what is only logged."""
    values = _made_text(body, located.node)
    if values and not _is_logged(flow_class, body, located.around):
        for value in values:
            yield value, "another text in another process"


def _made_text(body: FlowBody, node: Node) -> Sequence[Expression]:
    match node:
        case Compound(text=text, parts=parts) if _F_STRING.match(text):
            return parts
        case Call(function=Attribute(value=Constant(value=str()), name="format"), arguments=arguments):
            return [each.value for each in arguments if not each.star]
        case Call(function=function, arguments=(first, *_)) if body.origin(function) in _TEXTS and not first.star:
            return (first.value,)
        case Operation(operator="%", left=left, right=right) if _is_text(left):
            return right.items if isinstance(right, Display) and right.kind in {"dict", "tuple"} else (right,)
        case _:
            return ()


def _is_text(value: Expression) -> bool:
    match value:
        case Constant(value=str()):
            return True
        case Compound(text=text):
            return _F_STRING.match(text) is not None
        case _:
            return False


def _is_logged(flow_class: FlowClass, body: FlowBody, around: Sequence[Node]) -> bool:
    """Whether the nearest call that is given the text prints or logs it."""
    calls = (outer for outer, inner in pairwise(around) if isinstance(inner, Argument))
    nearest = next(reversed([*calls]), None)
    return nearest is not None and _is_logging(flow_class, body, nearest)


def _is_logging(flow_class: FlowClass, body: FlowBody, node: Node) -> bool:
    """Whether a node is a call that prints or logs; the word `log` alone makes no logger of a step."""
    if not isinstance(node, Call):
        return False
    origin = body.origin(node.function)
    if origin == "builtins.print" or _is_of_logging(origin):
        return True
    return isinstance(node.function, Attribute) and _is_logger(flow_class, body, node.function.value)


def _is_logger(flow_class: FlowClass, body: FlowBody, owner: Expression) -> bool:
    match owner:
        case Name(name=name) if name in body.local_names:
            values = body.assigned.get(name, ())
            return bool(values) and all(each is not None and _is_of_logging(_made_by(body, each)) for each in values)
        case Attribute(value=holder, name=name) if body.is_self(holder):
            made: list[tuple[Expression, Module, Class | None]] = [
                (attribute.value.expression, module, cls)
                for cls, module in flow_class.lineage
                for attribute in cls.attributes
                if attribute.name == name and attribute.value is not None
            ]
        case _:
            origin = body.origin(owner)
            bound = flow_class.project.binding(origin) if origin is not None else None
            made = [] if bound is None or bound[0].value is None else [(bound[0].value.expression, bound[1], None)]
    return bool(made) and all(
        isinstance(value, Call) and _is_of_logging(flow_class.project.origin_of(value.function, module, cls))
        for value, module, cls in made
    )


def _made_by(body: FlowBody, value: Expression) -> str | None:
    return body.origin(value.function) if isinstance(value, Call) else None


def _is_of_logging(origin: str | None) -> bool:
    return origin is not None and origin.startswith(_LOGGING)
