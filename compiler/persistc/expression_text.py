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

# How tightly Python binds: https://docs.python.org/3/reference/expressions.html#operator-precedence
_COMPARISON, _UNARY, _POWER, _AWAIT, _ATOM = 5, 12, 13, 14, 15
_TIGHTNESS = {
    "or": 2,
    "and": 3,
    "|": 6,
    "^": 7,
    "&": 8,
    "<<": 9,
    ">>": 9,
    "+": 10,
    "-": 10,
    "*": 11,
    "/": 11,
    "//": 11,
    "%": 11,
    "@": 11,
    "**": _POWER,
}
_NOT, _CONDITIONAL, _LOOSEST = 4, 1, 0
_BRACKETS = {"list": ("[", "]"), "set": ("{", "}"), "dict": ("{", "}"), "generator": ("(", ")")}
_STRING_OR_BREAK = re.compile(
    r"""(?P<string>\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|[ \t]*(?:\#[^\n]*|\\)?\r?\n\s*""",
    re.DOTALL,
)


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
            case Attribute(value=Constant(value=int(), text=text), name=name):
                return f"({text}).{name}"
            case Attribute(value=value, name=name):
                return f"{self._part(value, _ATOM)}.{name}"
            case Constant(value=value, text=text):
                return _literal(value, text)
            case Quoted(inner=inner):
                return self.write(inner)
            case Call(function=function, arguments=arguments):
                return f"{self._part(function, _ATOM)}({self._arguments(arguments)})"
            case Await(value=value):
                return f"await {self._part(value, _ATOM)}" if self._awaits else self.write(value)
            case Subscript(value=value, items=items):
                return f"{self._part(value, _ATOM)}[{self._listed(items)}]"
            case Unary(operator="not", value=value):
                return f"not {self._part(value, _NOT)}"
            case Unary(operator=operator, value=Operation(operator="**") as power):
                return f"{operator}({self.write(power)})"
            case Unary(operator=operator, value=value):
                return f"{operator}{self._part(value, _UNARY)}"
            case Operation():
                return self._operation(node)
            case Display():
                return self._display(node)
            case Starred(value=value):
                return f"*{self._part(value, _TIGHTNESS['|'])}"
            case Conditional(test=test, body=body, orelse=orelse):
                first, condition = (self._part(each, _TIGHTNESS["or"]) for each in (body, test))
                return f"{first} if {condition} else {self._part(orelse, _CONDITIONAL)}"
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

    def _part(self, node: Expression, tightness: int) -> str:
        """The text of a part, in parentheses where it binds less tightly than what surrounds it asks for."""
        if isinstance(node, Await) and not self._awaits:
            return self._part(node.value, tightness)
        return self.write(node) if _tightness(node) >= tightness else f"({self.write(node)})"

    def _operation(self, node: Operation) -> str:
        own = _tightness(node)
        left, right = own, own + 1
        if own == _COMPARISON:
            left = own + 1  # `a < b < c` is something else than `(a < b) < c`
        elif node.operator == "**":
            left, right = _AWAIT, _UNARY
        tight = node.operator == "**" and _is_simple(node.left) and _is_simple(node.right)
        operator = node.operator if tight else f" {node.operator} "
        return f"{self._part(node.left, left)}{operator}{self._part(node.right, right)}"

    def _listed(self, items: Sequence[Expression]) -> str:
        return ", ".join(self.write(item) for item in items)

    def _arguments(self, arguments: Sequence[Argument]) -> str:
        text = ", ".join(self._argument(each) for each in arguments)
        first = arguments[0] if len(arguments) == 1 and not arguments[0].keyword and not arguments[0].star else None
        lone = None if first is None else first.value
        return text[1:-1] if isinstance(lone, Comprehension) and lone.kind == "generator" else text

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
                entries.append(f"**{self._part(part.value, _TIGHTNESS['|'])}")
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
        over, *conditions = (self._part(each, _TIGHTNESS["or"]) for each in (clause.over, *clause.conditions))
        text = f"{'async ' if clause.is_async else ''}for {self.target(clause.target)} in {over}"
        return " ".join([text, *(f"if {condition}" for condition in conditions)])

    def target(self, node: Expression) -> str:
        """What a loop assigns to: a tuple without its parentheses."""
        return self._listed(node.items) if isinstance(node, Display) and node.kind == "tuple" else self.write(node)


def _tightness(node: Expression) -> int:
    match node:
        case Operation(operator=operator):
            return _TIGHTNESS.get(operator, _COMPARISON)
        case Unary(operator=operator):
            return _NOT if operator == "not" else _UNARY
        case Await():
            return _AWAIT
        case Conditional() | Lambda():
            return _CONDITIONAL
        case Assigned() | Yield():
            return _LOOSEST
        case Compound(text=text):
            return _ATOM if text[-1] in "'\")" else _COMPARISON
        case _:
            return _ATOM


def _is_simple(operand: Expression) -> bool:
    """Whether black writes `a**b` without spaces for it: a name, an attribute or a number."""
    if isinstance(operand, Unary):
        return operand.operator == "-" and _is_simple(operand.value)
    return dotted(operand) is not None or (isinstance(operand, Constant) and isinstance(operand.value, int | float))


def one_line(text: str) -> str:
    """Code of several lines as one, without comments; a line break in a string is written as what it is."""
    return _STRING_OR_BREAK.sub(_without_break, text)


def _without_break(found: re.Match[str]) -> str:
    string = found["string"]
    return " " if string is None else re.sub(r"\\?\r?\n", lambda each: "" if each[0][0] == "\\" else "\\n", string)


def target_text(target: Expression) -> str:
    """What a loop assigns to: a tuple without its parentheses."""
    return _Writer(str, awaits=True).target(target)


def _literal(value: object, text: str) -> str:
    """A literal; a string with the quotes black prefers, where the contents need no other escapes for it."""
    if "\n" in text and isinstance(value, str | bytes):
        text = repr(value)
    found = re.fullmatch(r"([rRbBuU]*)'([^'\"\\]*)'", text)
    return f'{found[1]}"{found[2]}"' if found else text
