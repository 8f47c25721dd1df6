"""The outline of a flow: its steps in order, with branches, loops, what runs side by side, delays and waits.

It stands above the flow in the generated file, so that the change of a process shows in a review as a change of a few
words. It is data first: lines with a depth and a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from persistc.durations import duration_text
from persistc.expression_text import expression_text, one_line, target_text
from persistc.flow_tree import (
    Argument,
    Attribute,
    Block,
    Branch,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    ForLoop,
    Handler,
    Lambda,
    Match,
    Name,
    NestedClass,
    NestedFunction,
    Node,
    Other,
    Raise,
    Return,
    Statement,
    Try,
    WhileLoop,
    With,
    children,
)
from persistc.model import PACKAGE, Kind, Method, Module
from persistc.project import Owned

TEXT_WIDTH = 56
"""Conditions and the like are cut to this many characters: an outline is for the eye."""

_TOGETHER = frozenset({"asyncio.TaskGroup", f"{PACKAGE}.parallel"})
_TIME_LIMITS = frozenset({"asyncio.timeout", "asyncio.timeout_at"})
_SLEEPS = frozenset({"asyncio.sleep", f"{PACKAGE}.sleep"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an outline, `depth` levels below the flow."""

    depth: int
    text: str
    note: str = ""


def outline(flow: Owned, members: Mapping[str, Owned]) -> tuple[Line, ...]:
    """The outline of a flow; `members` are all methods of its class, by name."""
    return tuple(_Outliner(members, flow).block(flow.method.body))


@dataclass
class _Outliner:
    members: Mapping[str, Owned]
    here: Owned
    inside: tuple[str, ...] = ()
    """The methods and local functions being told, so that recursion ends."""
    local: dict[str, NestedFunction] = field(default_factory=dict)
    nested: bool = False
    """Below a condition or loop, where leaving early is worth a line."""
    is_tail: bool = True
    """Nothing of the function comes behind this block, so that returning from it says nothing."""

    # --- statements -------------------------------------------------------------------------------------------------

    def block(self, body: Block) -> list[Line]:
        self.local = self.local | {each.name: each for each in body if isinstance(each, NestedFunction)}
        inner = replace(self, is_tail=False)
        lines = [line for statement in body[:-1] for line in inner._statement(statement)]
        return [*lines, *(line for statement in body[-1:] for line in self._statement(statement))]

    def _statement(self, node: Statement) -> Iterator[Line]:
        match node:
            case Branch():
                yield from self._branch(node, "if")
            case ForLoop(target=target, over=over, body=body, orelse=orelse):
                yield from self._expression(over)
                yield from _under(f"for {target_text(target)} in {_short(over)}", self._repeated(body))
                yield from _under("else", self._below(orelse))
            case WhileLoop(test=test, body=body, orelse=orelse):
                yield from _under(f"while {_short(test)}", [*self._expression(test), *self._repeated(body)])
                yield from _under("else", self._below(orelse))
            case Try():
                yield from self._try(node)
            case With():
                yield from self._with(node)
            case Match(subject=subject, cases=cases):
                yield from self._expression(subject)
                told = [(case, self._below(case.body)) for case in cases]
                if any(lines for _, lines in told):
                    yield Line(0, f"match {_short(subject)}")
                    for case, lines in told:
                        guard = f" if {_short(case.guard)}" if case.guard is not None else ""
                        yield from _deeper([Line(0, _cut(f"case {one_line(case.pattern)}{guard}")), *_deeper(lines)])
            case Return(value=value):
                if value is not None:
                    yield from self._expression(value)
                if self.nested and not self.is_tail:
                    yield Line(0, "return")
            case Raise(value=value):
                if value is not None:
                    yield from self._expression(value)
                if self.nested:
                    raised = value.function if isinstance(value, Call) else value
                    yield Line(0, "raise" if raised is None else f"raise {_short(raised)}")
            case Other(keyword="break" | "continue" as keyword):
                yield Line(0, keyword)
            case NestedFunction() | NestedClass():
                return
            case _:
                for child in children(node):
                    yield from self._node(child)

    def _branch(self, node: Branch, keyword: str) -> Iterator[Line]:
        yield from self._expression(node.test)
        body = self._below(node.body)
        match node.orelse:
            case (Branch() as other,):
                rest = list(self._branch(other, "elif"))
            case orelse:
                rest = list(_under("else", self._below(orelse)))
        if body or rest:
            yield Line(0, f"{keyword} {_short(node.test)}")
            yield from _deeper(body)
            yield from rest

    def _try(self, node: Try) -> Iterator[Line]:
        body = replace(self, is_tail=self.is_tail and not node.orelse).block(node.body)
        parts = [(_handler_text(each, node.is_group), self._below(each.body)) for each in node.handlers]
        if orelse := self._below(node.orelse):
            parts.append(("else", orelse))
        final = self.block(node.final)
        if not body and not final and not any(lines for _, lines in parts):
            return
        if not parts and not final:
            yield from body
            return
        yield Line(0, "try")
        yield from _deeper(body)
        for text, lines in parts:
            yield Line(0, text)
            yield from _deeper(lines)
        yield from _under("finally", final)

    def _with(self, node: With) -> Iterator[Line]:
        lines = self.block(node.body)
        for item in reversed(node.items):
            origin = self._origin(item.value.function) if isinstance(item.value, Call) else None
            if origin in _TOGETHER:
                lines = list(_under("in parallel", lines))
            elif origin in _TIME_LIMITS and isinstance(item.value, Call) and item.value.arguments:
                limit = duration_text(item.value.arguments[0].value)
                lines = list(_under(f"{'until' if origin.endswith('_at') else 'within'} {limit}", lines))
            else:
                lines = [*self._expression(item.value), *lines]
        yield from lines

    def _below(self, body: Block) -> list[Line]:
        """The lines of a block that does not always run."""
        return replace(self, nested=True).block(body)

    def _repeated(self, body: Block) -> list[Line]:
        """The lines of a block that runs again and again."""
        return replace(self, nested=True, is_tail=False).block(body)

    # --- expressions ------------------------------------------------------------------------------------------------

    def _node(self, node: Node) -> Iterator[Line]:
        match node:
            case Call():
                yield from self._call(node)
            case Attribute(value=Name(name=owner), name=name) if owner == self._self and self._is_call(name):
                yield from self._member(name)  # handed on: `asyncio.to_thread(self.pack)`, `branches.start(self.pack)`
            case Name(name=name) if name in self.local:
                yield from self._local_function(name)
            case Comprehension(elements=elements, clauses=clauses):
                yield from self._expression(clauses[0].over)
                loop = " ".join(f"for {target_text(each.target)} in {_short(each.over)}" for each in clauses)
                looped = (*(each for clause in clauses for each in clause.conditions), *elements)
                yield from _under(_cut(loop), [line for each in looped for line in self._expression(each)])
            case Conditional(test=test, body=body, orelse=orelse):
                yield from self._expression(test)
                yield from _under(f"if {_short(test)}", list(self._expression(body)))
                yield from _under(f"if not {_short(test)}", list(self._expression(orelse)))
            case Lambda():
                return
            case _:
                for child in children(node):
                    yield from self._node(child)

    def _expression(self, node: Expression) -> Iterator[Line]:
        return self._node(node)

    def _call(self, node: Call) -> Iterator[Line]:
        origin = self._origin(node.function)
        arguments = [line for argument in node.arguments for line in self._expression(argument.value)]
        match node.function:
            case Attribute(value=Name(name=owner), name=name) if owner == self._self and self._is_call(name):
                yield from arguments
                yield from self._member(name)
                return
            case Name(name=name) if name in self.local:
                yield from arguments
                yield from self._local_function(name)
                return
        if origin == f"{PACKAGE}.wait_for_signal":
            yield from self._wait(node)
        elif origin == "asyncio.gather":
            yield from _under("in parallel", arguments)
        elif origin in _SLEEPS and node.arguments:
            yield Line(0, f"sleep {duration_text(node.arguments[0].value)}")
        elif origin == "asyncio.wait_for" and len(node.arguments) > 1:
            waited = list(self._expression(node.arguments[0].value))
            yield from _under(f"within {duration_text(node.arguments[1].value)}", waited)
        elif origin == "asyncio.create_task":
            yield from (replace(line, note=_joined(line.note, "as a task")) for line in arguments)
        else:
            yield from self._expression(node.function)
            yield from arguments

    def _wait(self, node: Call) -> Iterator[Line]:
        waited = node.arguments[0].value if node.arguments else None
        name = waited.name if isinstance(waited, Attribute) else "a signal"
        timeout = _keyword(node.arguments, "timeout")
        limited = timeout is not None and not (isinstance(timeout, Constant) and timeout.value is None)
        key = _keyword(node.arguments, "key")
        keyed = f"by {_short(key)}" if key is not None else ""
        limit = f"at most {duration_text(timeout)}" if timeout is not None and limited else ""
        yield Line(0, name, _joined("signal", keyed, limit))

    def _member(self, name: str) -> Iterator[Line]:
        """A method of the class that is called: a step as it is, a method of the user's own with what it calls."""
        owned = self.members[name]
        if owned.method.kind is not Kind.OTHER:
            yield Line(0, name, _step_note(owned.method))
        elif name in self.inside:
            yield Line(0, f"in {name}", "again")
        else:
            teller = _Outliner(self.members, owned, (*self.inside, name))
            yield from _under(f"in {name}", teller.block(owned.method.body))

    def _local_function(self, name: str) -> Iterator[Line]:
        """A function defined in the body, told where it is called or handed on."""
        if name not in self.inside:
            teller = replace(self, inside=(*self.inside, name), nested=False, is_tail=True)
            yield from _under(f"in {name}", teller.block(self.local[name].body))

    def _is_call(self, name: str) -> bool:
        return name in self.members and not self.members[name].method.has_decorator("builtins.property")

    @property
    def _self(self) -> str | None:
        parameters = self.here.method.parameters
        return parameters[0].name if parameters else None

    def _origin(self, function: Expression) -> str | None:
        module: Module = self.here.module
        return module.origin_of(function)


def _step_note(method: Method) -> str:
    """What the decorator of a step says about when and how often it runs."""
    if method.kind is not Kind.STEP or method.mark is None:
        return method.kind.value if method.kind is not Kind.STEP else ""
    delay = method.mark.argument("delay")
    retry = method.mark.argument("retry")
    once = method.mark.argument("at_most_once")
    return _joined(
        f"delay {duration_text(delay.expression)}" if delay is not None else "",
        _retry_text(retry.expression) if retry is not None else "",
        "at most once" if once is not None and once.text == "True" else "",
    )


def _retry_text(retry: Expression) -> str:
    match retry:
        case Constant(value=None):
            return ""
        case Call(arguments=arguments):
            attempts = _keyword(arguments, "max_attempts")
            if attempts is None:
                attempts = next((each.value for each in arguments if each.keyword is None), None)
            return f"{_short(attempts)} attempts" if attempts is not None else "retried"
        case _:
            return f"retried by {_short(retry)}"


def _handler_text(handler: Handler, is_group: bool) -> str:
    keyword = "except*" if is_group else "except"
    return _cut(" ".join([keyword, ", ".join(expression_text(each) for each in handler.types)]).strip())


def _keyword(arguments: Sequence[Argument], keyword: str) -> Expression | None:
    return next((each.value for each in arguments if each.keyword == keyword), None)


def _under(head: str, lines: Sequence[Line]) -> Iterator[Line]:
    """Lines below a headline; nothing when there are none."""
    if lines:
        yield Line(0, head)
        yield from _deeper(lines)


def _deeper(lines: Sequence[Line]) -> list[Line]:
    return [replace(line, depth=line.depth + 1) for line in lines]


def _joined(*notes: str) -> str:
    return ", ".join(note for note in notes if note)


def _short(expression: Expression) -> str:
    return _cut(expression_text(expression, awaits=False))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_WIDTH else f"{text[: TEXT_WIDTH - 3].rstrip()}..."
