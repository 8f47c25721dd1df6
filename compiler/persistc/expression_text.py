"""From an expression back to text, in one line and in the style black writes, with names replaced where asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from persistc.flow_tree import (
    Argument,
    Assigned,
    Attribute,
    Await,
    Call,
    Clause,
    Compound,
    Comprehension,
    Conditional,
    Constant,
    Display,
    Expression,
    Lambda,
    Name,
    Operation,
    Quoted,
    Starred,
    Subscript,
    Unary,
    Yield,
    bound_names,
    dotted,
    walk,
)

_LOOSE = (Operation, Unary, Conditional, Lambda, Await, Assigned, Yield)
_BRACKETS = {"list": ("[", "]"), "set": ("{", "}"), "dict": ("{", "}"), "generator": ("(", ")")}
_SPACES = re.compile(r"\s*\n\s*")


def expression_text(expression: Expression, rename: Callable[[str], str] = str, *, awaits: bool = True) -> str:
    """The text of an expression; `rename` is asked about each name that is not an attribute, `awaits` keeps `await`.

    Quotes round a type go: where the text is used, all names in it are known.
    """
    return _Writer(rename, awaits).write(expression)


class _Writer:
    def __init__(self, rename: Callable[[str], str], awaits: bool) -> None:
        self._rename = rename
        self._awaits = awaits
        self._own: tuple[str, ...] = ()
        """Names that comprehensions and lambdas bind themselves."""

    def write(self, node: Expression) -> str:
        match node:
            case Name(name=name):
                return name if name in self._own else self._rename(name)
            case Attribute(value=value, name=name):
                return f"{self._tight(value)}.{name}"
            case Constant(text=text):
                return _normal_quotes(text)
            case Quoted(inner=inner):
                return self.write(inner)
            case Call(function=function, arguments=arguments):
                return f"{self._tight(function)}({', '.join(self._argument(each) for each in arguments)})"
            case Await(value=value):
                return f"await {self._tight(value)}" if self._awaits else self.write(value)
            case Subscript(value=value, items=items):
                return f"{self._tight(value)}[{self._listed(items)}]"
            case Unary(operator=operator, value=value):
                return f"{operator}{' ' if operator == 'not' else ''}{self._tight(value)}"
            case Operation(operator=operator, left=left, right=right):
                # Without parentheses only where both sides read the same with them: `A | B | C`.
                same = isinstance(left, Operation) and left.operator == operator and operator != "**"
                first = self.write(left) if same else self._tight(left)
                space = "" if operator == "**" and _is_simple(left) and _is_simple(right) else " "
                return f"{first}{space}{operator}{space}{self._tight(right)}"
            case Display():
                return self._display(node)
            case Starred(value=value):
                return f"*{self._tight(value)}"
            case Conditional(test=test, body=body, orelse=orelse):
                return f"{self._tight(body)} if {self._tight(test)} else {self._tight(orelse)}"
            case Comprehension():
                return self._comprehension(node)
            case Assigned(name=name, value=value):
                return f"{name} := {self.write(value)}"
            case Yield(value=None):
                return "yield"
            case Yield(value=value, is_from=is_from) if value is not None:
                return f"yield {'from ' if is_from else ''}{self.write(value)}"
            case Lambda(text=text, parameters=parameters, body=body):
                return self._verbatim(text, (body,), parameters)
            case Compound(text=text, parts=parts):
                return self._verbatim(text, parts, ())
            case _:
                raise AssertionError(f"an expression without a text: {node}")

    def _tight(self, node: Expression) -> str:
        """The text of a part that binds closer than what surrounds it."""
        if isinstance(node, Await) and not self._awaits:
            return self._tight(node.value)
        return f"({self.write(node)})" if isinstance(node, _LOOSE) else self.write(node)

    def _listed(self, items: Sequence[Expression]) -> str:
        return ", ".join(self.write(item) for item in items)

    def _argument(self, argument: Argument) -> str:
        value = self.write(argument.value)
        return f"{argument.keyword}={value}" if argument.keyword else f"{argument.star}{value}"

    def _display(self, node: Display) -> str:
        match node.kind:
            case "tuple":
                return f"({self._listed(node.items)}{',' if len(node.items) == 1 else ''})"
            case "list":
                return f"[{self._listed(node.items)}]"
            case "set":
                return f"{{{self._listed(node.items)}}}"
            case "dict":
                return f"{{{', '.join(self._entries(node.items))}}}"

    def _entries(self, items: Sequence[Expression]) -> list[str]:
        entries: list[str] = []
        parts = iter(items)
        for part in parts:
            if isinstance(part, Starred):
                entries.append(f"**{self._tight(part.value)}")
            else:
                entries.append(f"{self.write(part)}: {self.write(next(parts))}")
        return entries

    def _verbatim(self, text: str, parts: Sequence[Expression], own: Sequence[str]) -> str:
        """Text as it was written, with the names in it replaced all the same."""
        text = one_line(text)
        for name in dict.fromkeys(node.name for node in walk(*parts) if isinstance(node, Name)):
            if name not in own and name not in self._own:
                text = re.sub(rf"(?<![\w.]){name}(?!\w)", self._rename(name), text)
        return text

    def _comprehension(self, node: Comprehension) -> str:
        outer = self._own
        self._own = (*outer, *(name for clause in node.clauses for name in bound_names(clause.target)))
        text = self._looped(node)
        self._own = outer
        return text

    def _looped(self, node: Comprehension) -> str:
        inner = f"{': '.join(self.write(each) for each in node.elements)} " + " ".join(
            self._clause(each) for each in node.clauses
        )
        opening, closing = _BRACKETS[node.kind]
        return f"{opening}{inner}{closing}"

    def _clause(self, clause: Clause) -> str:
        text = f"{'async ' if clause.is_async else ''}for {self.target(clause.target)} in {self._tight(clause.over)}"
        return " ".join([text, *(f"if {self._tight(each)}" for each in clause.conditions)])

    def target(self, node: Expression) -> str:
        """What a loop assigns to: a tuple without its parentheses."""
        return self._listed(node.items) if isinstance(node, Display) and node.kind == "tuple" else self.write(node)


def _is_simple(operand: Expression) -> bool:
    """Whether black writes `a**b` without spaces for it: a name, an attribute or a number."""
    if isinstance(operand, Unary):
        return operand.operator == "-" and _is_simple(operand.value)
    return dotted(operand) is not None or (isinstance(operand, Constant) and isinstance(operand.value, int | float))


def one_line(text: str) -> str:
    """Text of several lines as one."""
    return _SPACES.sub(" ", text)


def target_text(target: Expression) -> str:
    """What a loop assigns to: a tuple without its parentheses."""
    return _Writer(str, awaits=True).target(target)


def _normal_quotes(text: str) -> str:
    """A string literal with the quotes black prefers, where the contents need no other escapes for it."""
    text = one_line(text)
    found = re.fullmatch(r"([rRbBuU]*)'([^'\"\\]*)'", text)
    return f'{found[1]}"{found[2]}"' if found else text
